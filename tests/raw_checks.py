"""How far a reduced raw night is from its truth, as figures; `BOUNDS` say how far it may be."""

import json
from pathlib import Path

import numpy as np
from click.testing import CliRunner

from lyot.cli import cli
from lyot.cube import Cube
from lyot.level1 import read_cube
from lyot.reduce.associate import associate
from lyot.reduce.cards import read_header
from lyot.reduce.classify import classify
from lyot.reduce.group import group
from lyot.reduce.irdis import WINDOWS
from lyot.reduce.night import Night
from lyot.reduce.workflows import make_masters, to_level1, workflow_of
from lyot.store import Store

#: Most that a figure may be. Each is at least twice what a faultless night gives.
BOUNDS = {
    "centre": 0.05,  # px, of the star in any half
    "angles": 0.002,  # deg
    "times": 0.01,  # s
    "flux": 0.2,  # of the star's, off the mask: an eighth is in the halo and beyond the image of the star
    "halves": 2.0,  # counts by which the two halves, which see the same sky, differ far from the star
}


def level1(folder: Path, **settings: int) -> Night:
    """The only data set of a folder, brought to Level 1 without a store."""
    paths = sorted(folder.glob("*.fits"))
    found = group(classify(read_header(str(path)), str(path), path.name) for path in paths)
    (dataset,) = found.datasets
    workflow = workflow_of(dataset).changed(settings)
    masters, notes = make_masters(workflow, associate(dataset, found.calibrations))
    return to_level1(workflow, dataset, masters, notes, found.telemetry)


def truth_of(folder: Path) -> dict:
    return json.loads((folder / "truth.json").read_text())


def figures(night: Night, folder: Path) -> dict[str, float]:
    """How far an IRDIS night is from the truth beside its files."""
    truth = truth_of(folder)
    files = {one["name"]: one for one in truth["files"]}
    science = [files[Path(one.path).name] for one in night.dataset.science]
    cube = night.finished()
    turned = (cube.angles - np.concatenate([one["north"] for one in science]) + 180) % 360 - 180
    half = read_header(night.dataset.science[0].path)["NAXIS1"] // 2
    begins = np.array([(rows.start, columns.start % half) for rows, columns in WINDOWS])
    dither = np.array(night.dataset.science[0].dither[::-1])
    away = night.star + begins + dither - np.array(science[0]["stars"])[:, ::-1]
    whole = np.array(truth["star_flux"]) * science[0]["dit"]
    y, x = np.indices(cube.frames.shape[-2:]) - cube.frames.shape[-1] // 2
    far = np.hypot(y, x) > 0.95 * (cube.frames.shape[-1] // 2)
    return {
        "centre": float(np.hypot(*away.T).max()),
        "angles": float(np.abs(turned).max()),
        "times": float(np.abs(cube.times - np.concatenate([one["times"] for one in science])).max() * 86400),
        "flux": float(np.abs(cube.psf.sum(axis=(1, 2)) / whole - 1).max()),
        "halves": float(np.abs(np.diff(np.median(cube.frames[..., far], axis=-1), axis=0)).max()),
    }


def by_commands(raw: Path, store: Path, *options: str) -> Store:
    """A folder of raw files brought into a store and reduced by `lyot ingest` and `lyot reduce`."""
    for command in (["ingest", str(raw)], ["reduce", *options]):
        done = CliRunner().invoke(cli, [*command, "--store", str(store)])
        assert done.exit_code == 0, done.output
    return Store(str(store))


def cube_of(store: Store) -> Cube:
    (kept,) = store.find(kind="cube")
    return read_cube(store.read(kept, "fits"))


def detections(store: Store) -> list[dict]:
    (kept,) = store.find(kind="reduction")
    return store.rows(kept, "detection").to_pylist()


def true_vector(truth: dict, name: str, kind: str = "OBJECT") -> np.ndarray:
    return np.concatenate([one[name] for one in truth["files"] if one["kind"] == kind])


def rows_near(rows: list[dict], source: dict) -> list[dict]:
    return [r for r in rows if abs(r["separation"] - source["separation"]) < 30
            and abs(r["position_angle"] - source["position_angle"]) < 4]


def misses(source: dict, row: dict, waves: np.ndarray) -> tuple[float, float, float, float]:
    """By how much a row misses its source, and the stated error: mas, mas, contrast, contrast."""
    apart = row["separation"] - source["separation"]
    across = np.radians(row["position_angle"] - source["position_angle"]) * source["separation"]
    true = np.interp(row["wavelength"], waves, source["contrast"])  # a half-dark channel holds the next one's light
    spread = np.hypot(row["dra_error"], row["ddec_error"])
    off = abs(row["contrast"] - true)
    return float(np.hypot(apart, across)), float(spread), off / true, row["contrast_error"] / true


def said(source: dict, row: dict, waves: np.ndarray) -> str:
    away, spread, off, error = misses(source, row, waves)
    where = f"{source['name']} at {row['wavelength']:.3f} µm, S/N {row['snr']:.0f}"
    return f"{where}: {away:.2f} ± {spread:.2f} mas, contrast {off:.1%} ± {error:.1%}"


def beyond_errors(source: dict, rows: list[dict], waves: np.ndarray) -> list[str]:
    """Rows that miss their source by more than three stated errors."""
    return [said(source, row, waves) for row in rows
            for away, spread, off, error in (misses(source, row, waves),) if away > 3 * spread or off > 3 * error]


def wrong(source: dict, rows: list[dict], waves: np.ndarray, most: float) -> list[str]:
    """Rows of S/N 60 and more that miss their source by more than `most` mas or 5 %, others by more than 3 stated σ."""
    strong = [row for row in rows if row["snr"] >= 60]
    far = [said(source, row, waves) for row in strong
           for away, _, off, _ in (misses(source, row, waves),) if away > most or off > 0.05]
    return far + beyond_errors(source, [row for row in rows if row["snr"] < 60], waves)
