"""A survey of all surveys: stars, nights and sources of known nature, as products of a store."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from lyot.catalog.table import tables
from lyot.product import Product
from lyot.sky import Floats, Star, drift_past, earth_position
from lyot.store import Store

OPEN = "2020-01-01"
STARS = 100_000
EPOCHS = 3  # of every star
ERROR = 3.0  # mas
BOUND = 0.05  # of the sources; the others are stars in the background
UNNAMED = 0.5  # of the stars: their detections name no object and are grouped here
RIGHTS = {"simulated": False, "workspace": "main"}


def fill(store: Store, stars: int, seed: int = 1) -> None:
    """Put `stars` targets, three observations of each, and three detections of each of their sources into a store."""
    rng = np.random.default_rng(seed)
    sources = 10 * stars // 3 + 1
    target, names = _targets(stars, rng)
    _keep(store, "stars", {"target": target})
    host = np.sort(rng.integers(0, stars, sources))
    named = host % 10 >= round(10 * UNNAMED)
    order = np.arange(sources) - np.searchsorted(host, host)  # number of the source at its star
    companions = np.char.add(np.char.add(names[host], "-s"), order.astype(str))
    _keep(store, "objects", {"companion": _table("companion", companion_id=companions[named], name=companions[named],
                                                 target_id=names[host][named], **RIGHTS)})  # fmt: skip
    times = 57_000 + 380.0 * np.arange(EPOCHS) + rng.uniform(0, 100, (stars, EPOCHS))
    places = _places(target, host, times, rng)
    for epoch in range(EPOCHS):
        columns = (names, times[:, epoch], host, places[:, epoch], order)
        rows = _night(f"survey-{epoch}", *columns, np.where(named, companions, None))
        _keep(store, f"survey-{epoch}", rows)


def add_night(store: Store, stars: int, seed: int = 2) -> None:
    """One more night: thirty stars of the survey seen again, and a source of each that was never seen."""
    rng = np.random.default_rng(seed)
    names = _names(stars)[np.sort(rng.choice(stars, 30, replace=False))]
    host, offsets = np.arange(30), rng.uniform(-5000, 5000, (30, 2))
    rows = _night("night", names, np.full(30, 59_000.25), host, offsets, np.zeros(30, int), np.full(30, None))
    _keep(store, "night", rows)


def scatter(store: Store, nights: int) -> None:
    """A product of its own for each of many nights of one star: two row files each, of one row."""
    for number in range(nights):
        of = {"observation_id": f"star/{number}", "target_id": "star", **RIGHTS}
        made = {**of, "reduction_id": f"star/{number}/pca"}
        rows = {
            "observation": tables()["observation"].rows([{**of, "date": "2016-01-01"}]),
            "reduction": tables()["reduction"].rows([made]),
        }
        dataset = f"import/night-{number % 100}-{number // 100}"
        store.put(Product(kind="import", dataset=dataset, record={"night": number}), {}, rows)
        store.note(f"releases/{dataset}", {"release_date": OPEN}, workspace="main")


def _names(stars: int) -> np.ndarray:
    return np.char.add("survey-", np.char.zfill(np.arange(stars).astype(str), 6))


def _targets(stars: int, rng: np.random.Generator) -> tuple[pa.Table, np.ndarray]:
    names, parallax = _names(stars), rng.uniform(5, 60, stars)
    target = _table(
        "target", target_id=names, name=np.char.replace(names, "-", " "), ra=rng.uniform(0, 360, stars),
        dec=np.degrees(np.arcsin(rng.uniform(-0.95, 0.95, stars))), ref_epoch=2016.0,
        pmra=rng.normal(0, 4 * parallax), pmdec=rng.normal(0, 4 * parallax), parallax=parallax, parallax_error=0.05,
        radial_velocity=0.0, mass=rng.uniform(0.5, 2.0, stars), mag_h=rng.uniform(3, 11, stars), mag_h_error=0.03,
        spectral_type="G2V", **RIGHTS,
    )  # fmt: skip
    return target, names


def _places(target: pa.Table, host: np.ndarray, times: Floats, rng: np.random.Generator) -> Floats:
    """Offsets (source, time, 2), mas: background stars with motions of their own, and objects that stay."""
    star = Star(*(target[name].to_numpy()[host] for name in vars(Star(0.0, 0.0, 0.0, 0.0, 0.0, 1.0))))
    seen = times[host]
    sky = drift_past(star, seen, seen[:, 0], earth_position(seen))
    start = rng.uniform(300, 6000, (len(host), 1)) * _directions(len(host), rng)
    own = rng.normal(0, 4, (len(host), 1, 2)) * sky.years[..., None]
    behind = sky.drift + np.einsum("stkm,stm->stk", sky.turn, start[:, None] + own)
    bound = rng.random(len(host)) < BOUND
    return np.where(bound[:, None, None], start[:, None], behind) + rng.normal(0, ERROR, behind.shape)


def _directions(count: int, rng: np.random.Generator) -> Floats:
    angle = rng.uniform(0, 2 * np.pi, count)
    return np.stack([np.sin(angle), np.cos(angle)], axis=-1)


def _night(
    label: str, names: np.ndarray, times: Floats, host: np.ndarray, offsets: Floats, order: np.ndarray,
    companions: np.ndarray,
) -> dict[str, pa.Table]:  # fmt: skip
    """An observation and a reduction of every star, with the sources at their `offsets` (source, 2), mas."""
    observations = np.char.add(names, f"/{label}")
    reductions = np.char.add(observations, "/pca")
    separation = np.hypot(*offsets.T)
    contrast = np.full(len(host), 1e-5)
    return {
        "observation": _table("observation", observation_id=observations, target_id=names, instrument="sphere-irdis",
                              date="2016-01-01", mjd=times, filter="SPHERE/H2", wavelength=1.593, **RIGHTS),
        "reduction": _table("reduction", reduction_id=reductions, observation_id=observations, target_id=names,
                            recipe="pca", algorithm="PCA", strategy="adi", **RIGHTS),
        "detection": _table(
            "detection", target_id=names[host], observation_id=observations[host], reduction_id=reductions[host],
            number=order, companion_id=companions, mjd=times[host], filter="SPHERE/H2", wavelength=1.593,
            separation=separation, separation_error=ERROR,
            position_angle=np.degrees(np.arctan2(*offsets.T)) % 360,
            position_angle_error=np.degrees(ERROR / separation),
            dra=offsets[:, 0], dra_error=ERROR, ddec=offsets[:, 1], ddec_error=ERROR, dra_ddec_correlation=0.0,
            contrast=contrast, contrast_error=contrast / 10, snr=10.0, **RIGHTS,
        ),
    }  # fmt: skip


def _table(table: str, /, **columns: object) -> pa.Table:
    """Rows of a table from its columns; one value stands for all rows."""
    schema = tables()[table].arrow_schema()
    size = max(len(values) for values in columns.values() if isinstance(values, np.ndarray))
    full = {n: v if isinstance(v, np.ndarray) else np.full(size, v) for n, v in columns.items()}
    arrays = [
        pa.array(full[field.name], from_pandas=True).cast(field.type) if field.name in full
        else pa.nulls(size, field.type)
        for field in schema
    ]  # fmt: skip
    return pa.Table.from_arrays(arrays, schema=schema)


def _keep(store: Store, label: str, rows: dict[str, pa.Table]) -> None:
    dataset = f"import/{label}"
    store.put(Product(kind="import", dataset=dataset, record={"made": label}), {}, rows)
    store.note(f"releases/{dataset}", {"release_date": OPEN}, workspace="main")
