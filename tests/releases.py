"""A store with a few products made by hand, for the tests of what is built from it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from astropy.io import fits
from baked import hci

from lyot.catalog.table import tables
from lyot.product import Product
from lyot.store import Kept, Store

OPEN = "2020-01-01"  # long public


def rows(table: str, *given: dict[str, Any], simulated: bool = False) -> dict[str, Any]:
    """Rows of one table, with the columns that every row must have."""
    declared = tables()[table]
    rights = {"simulated": simulated, "workspace": "main"} if "simulated" in declared.names else {}
    return {table: declared.rows([{**rights, **row} for row in given])}


def release(store: Store, dataset: str, date: str | None, workspace: str = "main") -> None:
    """Say when a data set is public."""
    store.note(f"releases/{dataset}", {"release_date": date}, workspace=workspace)


def facts(store: Store, *, dataset: str = "facts/paper", date: str | None = OPEN, **more: Any) -> Kept:
    """An import that knows β Pictoris, with its position and another name."""
    content = {
        **rows("reference", {"reference_id": "gaia", "citation": "Gaia Collaboration 2023"}),
        **rows(
            "target",
            {"target_id": "beta-pic", "name": "β Pic", "ra": 86.8212, "dec": -51.0665, "ref_epoch": 2016.0,
             "parallax": 50.93, "parallax_error": 0.15, "mag_lp": 3.454, "mag_lp_error": 0.003,
             "reference_id": "gaia"},
        ),
        **rows("target_alias", {"target_id": "beta-pic", "alias": "HD 39060"}),
        **rows("companion", {"companion_id": "beta-pic-b", "target_id": "beta-pic", "name": "β Pic b"}),
    }  # fmt: skip
    kept = store.put(
        Product(kind="import", dataset=dataset, record={"file": dataset, **more.pop("record", {})}, **more),
        rows=content,
    )
    release(store, dataset, date, kept.product.workspace)
    return kept


def _fits(words: str) -> bytes:
    """Images of a reduction, with words in the header."""
    buffer = io.BytesIO()
    with fits.open(io.BytesIO(hci())) as hdus:
        hdus[0].header["OBJECT"] = words
        hdus.writeto(buffer)
    return buffer.getvalue()


def sequence(
    store: Store, dataset: str = "naco/beta-pic/2013-02-01", *, target: str = "beta-pic", date: str | None = OPEN,
    workspace: str = "main", simulated: bool = False, version: int = 1, words: str = "",
) -> tuple[Kept, Kept]:
    """A cube and one reduction of it, with a detection, and `words` wherever text can stand."""  # fmt: skip
    cube = store.put(
        Product(kind="cube", dataset=dataset, record={"version": version, "words": words}, workspace=workspace,
                about={"target": target, "words": words}),
        {"fits": _fits(words)},
        rows("observation", {"observation_id": dataset, "target_id": target, "target_name": words or target,
                             "date": "2013-02-01", "instrument": "naco", "programme": words or None},
             simulated=simulated),
    )  # fmt: skip
    name = f"{dataset}/pca-{version}"
    reduction = store.put(
        Product(kind="reduction", dataset=dataset, record={"recipe": "pca", "words": words}, inputs=(cube.key,),
                workspace=workspace, label="pca", about={"target": target}),
        {"fits": _fits(words)},
        {
            **rows("reduction", {"reduction_id": name, "observation_id": dataset, "target_id": target,
                                 "recipe": "pca", "parameters": words or None}, simulated=simulated),
            **rows("detection", {"reduction_id": name, "observation_id": dataset, "target_id": target, "number": 0,
                                 "mjd": 56324.1, "filter": "NACO/Lp", "wavelength": 3.8, "separation": 452.0,
                                 "separation_error": 9.6, "position_angle": 211.2, "position_angle_error": 1.2,
                                 "contrast": 1e-3, "contrast_error": 1e-4, "snr": 12.0}, simulated=simulated),
        },
    )  # fmt: skip
    release(store, dataset, date, workspace)
    return cube, reduction


def stocked(folder: Path) -> Store:
    """A store with what is known of one star, and one sequence of it."""
    store = Store(str(folder))
    facts(store)
    sequence(store)
    return store


def with_pages(folder: Path, *paths: str) -> Path:
    """A release with a page that says little, at home and at each of some other paths of its site."""
    for path in ("index.html", *paths):
        (folder / "site" / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / "site" / path).write_text("<h1>home</h1>")
    return folder
