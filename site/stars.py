"""What lists say of the stars that have a page: held as the JSON in which it is kept, and read one star at a time.

A hundred thousand of them as mappings would be most of the memory of a rendering.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain
from typing import Any

from lyot.site.stamps import Made, digest_of


class Stars:
    """What lists say of all stars, in the order of the lists: by name, then by folder.

    Parameters
    ----------
    made : Made by target
        What the pages of each left.
    folders : str by target
        The folder of each of them, and perhaps of more.
    """

    def __init__(self, made: dict[str, Made], folders: Mapping[str, str]) -> None:
        self.made = made
        self.folders = {key: folders[key] for key in made}

    def __len__(self) -> int:
        return len(self.made)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return map(json.loads, self._ordered)

    def some(self, first: int, last: int) -> list[dict[str, Any]]:
        """Those at places from `first` up to `last`."""
        return list(map(json.loads, self._ordered[first:last]))

    @property
    def digest(self) -> str:
        """Digest of all that is said."""
        return digest_of(chain.from_iterable((repr(key).encode(), one.listed) for key, one in self.made.items()))

    @cached_property
    def _ordered(self) -> Sequence[bytes]:
        order = []
        for one in self.made.values():
            said = json.loads(one.listed)
            order.append((said["name"].casefold(), said["slug"], one.listed))
        return [listed for *_, listed in sorted(order)]
