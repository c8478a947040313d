"""Which products a release may read. What it may not is never opened: public is a build, not a filter.

Beside the products of a workspace stand three kinds of notes that people may change:

- `policy`: {"policy": "release-date" | "never", "needs_validation": bool, "proprietary_days": int or null};
- `releases/<dataset>`: {"release_date": ISO day or instant, or null};
- `validations/<key>`: {"validation": "validated" | "flagged" | "rejected", "reason": text}.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lyot.build.rights import policy_of
from lyot.catalog.release import release_day, validated, visible
from lyot.declaration import canonical
from lyot.errors import BadInput
from lyot.store import Kept, Store

#: Kind of a product that holds copies of the rows of others.
MERGED = "merged"
VERSIONS = "version", "software", "coronagraphs"  # names in a record of what may change while its subject stays


@dataclass(frozen=True)
class Chosen:
    """A product that a release reads, and the rights and judgements that its rows inherit."""

    kept: Kept
    release_date: str | None
    simulated: bool
    validation: str | None = None
    validation_reason: str | None = None


@dataclass(frozen=True)
class Selection:
    """What a release reads (`chosen`, oldest first), and why it does not read the rest (`withheld`, by key).

    `merged` are copies of the rows of many products in one file (`build.compact`).
    """

    chosen: tuple[Chosen, ...]
    withheld: Mapping[str, str]
    policies: Mapping[str, Mapping[str, Any]]
    merged: tuple[Kept, ...] = ()


Place = tuple[str, str]  # workspace and key


@dataclass(frozen=True)
class Audience:
    """For whom a release is: everybody, or (`workspace`) the members of one workspace, who see all of it."""

    workspace: str | None
    as_of: str
    with_simulated: bool = False


def select(store: Store, audience: Audience) -> Selection:
    """The products that a release for `audience` reads: visible ones, of these the latest valid versions.

    Raises
    ------
    BadInput
        If a note has a release date that is none.
    """
    notes = {name: store.notes(workspace=name) for name in store.workspaces()}
    policies = {name: policy_of(store, name) for name in notes}
    found = store.find()
    everything = [_judgements(kept, notes[kept.product.workspace]) for kept in found if kept.product.kind != MERGED]
    withheld = _withheld(everything, policies, audience)
    seen = [one for one in everything if _place(one.kept) not in withheld]
    chosen = {
        (workspace, document["key"])
        for workspace, said in notes.items()
        for name, document in said.items()
        if name.startswith("current/")
    }
    outdated = _outdated([one.kept for one in seen], chosen)
    shown = {one.kept.key: one for one in reversed(seen) if _place(one.kept) not in outdated}  # of twins the first
    return Selection(
        tuple(reversed(shown.values())),
        {key: why for (_, key), why in {**withheld, **outdated}.items() if key not in shown},
        policies,
        tuple(kept for kept in found if kept.product.kind == MERGED),
    )


def _judgements(kept: Kept, notes: Mapping[str, Mapping[str, Any]]) -> Chosen:
    """A product with what the notes of its workspace say of it."""
    said = notes.get(f"releases/{kept.product.dataset}", {}).get("release_date")
    try:
        day = None if said is None else release_day(said)
    except BadInput as error:
        raise BadInput(
            f"the release date of {kept.product.dataset} in workspace {kept.product.workspace}: {error.message}",
            hint=error.hint,
        ) from None
    judged = notes.get(f"validations/{kept.key}", {})
    return Chosen(
        kept, day, bool(kept.product.about.get("simulated", False)), judged.get("validation"), judged.get("reason")
    )


def _withheld(
    everything: list[Chosen], policies: Mapping[str, Mapping[str, Any]], audience: Audience
) -> dict[Place, str]:
    """Why a product is not visible, by place; what is made from a hidden product is hidden."""
    reasons: dict[Place, str] = {}
    homes: dict[str, list[str]] = {}  # the same product may stand in several workspaces
    for one in everything:
        homes.setdefault(one.kept.key, []).append(one.kept.product.workspace)
    for one in everything:  # oldest first: inputs come before what is made from them
        policy = policies[one.kept.product.workspace]
        why = _own_reason(one, policy, audience)
        for key in one.kept.product.inputs if not why else ():
            own = one.kept.product.workspace
            of = own if own in homes.get(key, ()) else next(iter(homes.get(key, ())), None)
            if of is None:
                why = f"it is made from {key}, which the store does not hold"
            elif (of, key) in reasons:
                why = f"it is made from {key}: {reasons[of, key]}"
        if why:
            reasons[_place(one.kept)] = why
    return reasons


def _place(kept: Kept) -> Place:
    return kept.product.workspace, kept.key


def _own_reason(one: Chosen, policy: Mapping[str, Any], audience: Audience) -> str:
    if one.simulated and not audience.with_simulated:
        return "it is simulated"
    if one.kept.product.workspace == audience.workspace:
        return ""
    allowed, why = visible(
        one.release_date, policy["policy"], one.simulated, audience.as_of, audience.with_simulated
    )
    if allowed and one.kept.product.kind == "reduction":
        allowed, why = validated(one.validation, policy["needs_validation"])
    return "" if allowed else why


def _outdated(seen: list[Kept], chosen: set[Place]) -> dict[Place, str]:
    """Why a product is not the one to read: it is of an older cube, or made by an older version, or an older import."""
    newest: dict[tuple[str, ...], str] = {}  # `seen` is oldest first: the last stays, unless an older one was chosen
    for kept in seen:
        if (kept.product.workspace, newest.get(_subject(kept))) not in chosen:
            newest[_subject(kept)] = kept.key
    old: dict[Place, str] = {}
    for kept in seen:
        product = kept.product
        cube = newest.get(("cube", product.workspace, product.dataset))
        if newest[_subject(kept)] != kept.key:
            old[_place(kept)] = f"{newest[_subject(kept)]} is newer"
        elif cube and product.inputs and product.kind != "cube" and cube not in product.inputs:
            old[_place(kept)] = f"it is made from another cube than {cube}, the newest"
    return old


def _subject(kept: Kept) -> tuple[str, ...]:
    """What a product is of: two of one subject are versions of each other."""
    product = kept.product
    subject = (product.kind, product.workspace, product.dataset)
    if product.kind in ("cube", "import"):
        return subject
    # A reduction comes from its cube first; a library of other stars that has grown makes a newer version of it.
    inputs = product.inputs[:1] if product.kind == "reduction" else product.inputs
    return (*subject, *inputs, canonical(_without_versions(dict(product.record))))


def _without_versions(record: Any) -> Any:
    """A record without the versions of the steps it names, and of what was known of coronagraphs."""
    if isinstance(record, Mapping):
        return {name: _without_versions(value) for name, value in record.items() if name not in VERSIONS}
    return [_without_versions(value) for value in record] if isinstance(record, list) else record
