"""Small frozen values that say what something is, and the digest that names what they make."""

import hashlib
import json
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, ValidationError

from lyot.errors import BadInput


class Declaration(BaseModel):
    """A frozen, checked value whose every field is written out: instruments, steps, recipes, columns, tables."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    if not TYPE_CHECKING:  # who checks types knows the fields themselves

        def __init__(self, **fields: Any) -> None:
            """Raise `BadInput`, the first wrong field named, if they do not suit."""
            try:
                super().__init__(**fields)
            except ValidationError as refused:
                wrong = refused.errors()[0]
                name = ".".join(str(part) for part in wrong["loc"]) or type(self).__name__
                raise BadInput(f"{name} is {wrong['input']!r}: {wrong['msg'][:1].lower()}{wrong['msg'][1:]}") from None


def canonical(value: Any) -> str:
    """`value` as JSON with one spelling: sorted keys, no spaces, no NaN.

    Raises
    ------
    ValueError
        If `value` holds NaN or an infinity, which JSON cannot say.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False)


def digest(value: Any, length: int = 16) -> str:
    """First `length` hexadecimal digits of the SHA-256 of the canonical JSON of `value`."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()[:length]
