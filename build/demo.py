"""The demonstration data: a real sequence, if it can be had, and a simulated one."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pooch
from astropy.io import fits

from lyot.build.adopt import adopt
from lyot.build.options import AdoptOptions
from lyot.progress import say
from lyot.reduce.simulate.coronagraph import Sequence, simulate_sequence
from lyot.store import Kept, Store

#: VLT/NACO, L', AGPM vortex coronagraph (Absil et al. 2013, A&A 559, L12), as published with VIP.
NACO_ORIGIN = (
    "https://raw.githubusercontent.com/carlos-gg/VIP_extras/a7ec7ac9aeabcb5df73b9ea57270c6d66f9e3f57/datasets/"
)
NACO_FILES = {
    "naco_betapic_cube.fits": "5d7f7db98522128704c1e3a6ce3bc47e35ec469c44570d2f86533b242e9a5a79",
    "naco_betapic_pa.fits": "1ebe4212da8dd0d02b19eefbcd473498c5c1ebc5ad348161ed2a9ade1eb8a519",
    "naco_betapic_psf.fits": "ca4e0ad99c4119f3ad4e9b33fad9b157746343d8b54f4668681dfa1a398315be",
}
PATIENCE = 10.0  # s, for a server to answer
SEED = 20260101
RELEASED = "2014-01-01"  # after the publication of the real sequence
SURVEY = "Lyot demonstration (simulated)"
SURVEY_DESCRIPTION = (
    "No survey of the sky: stars, speckles and planets of known truth, made by Lyot's own simulator, to show what the "
    "pages of a survey say and to check that what was put in comes out."
)

Fetch = Callable[[], Path | None]


def demo_datasets(store: Store, *, real: bool = True) -> list[Kept]:
    """Adopt the demonstration sequences: the real one if it is wanted and can be had, and the simulated one."""
    kept = []
    folder = find_naco() if real else None
    if folder is not None:
        kept.append(adopt_naco(store, folder))
    kept.append(adopt_simulated(store))
    return kept


def find_naco(log: Callable[[str], None] = say, fetch: Fetch | None = None) -> Path | None:
    """Folder of the real sequence: in $LYOT_DATA, in ../shared/data, or fetched from where it was published.

    Parameters
    ----------
    log : what to say a sentence with
    fetch : what to get the files from outside with; `fetch_naco` when not given

    Returns
    -------
    folder, or None when it is nowhere and cannot be fetched; one sentence says so
    """
    for folder in _places():
        if _whole(folder):
            return folder
    folder_or_none = (fetch or fetch_naco)()
    if folder_or_none is None:
        log(
            "The real VLT/NACO sequence is neither in $LYOT_DATA nor in ../shared/data and could not be fetched from "
            "its public origin: the demonstration goes on with simulated data alone."
        )
    return folder_or_none


def _places() -> Iterator[Path]:
    """Where the folder `naco_betapic` may stand; the repository is the folder above that of this stage."""
    named = os.environ.get("LYOT_DATA")
    if named:
        yield Path(named) / "naco_betapic"
    yield Path(__file__).resolve().parents[1].parent / "shared" / "data" / "naco_betapic"
    yield Path.cwd().parent / "shared" / "data" / "naco_betapic"


def _whole(folder: Path) -> bool:
    """Are all the files there, and are they the ones that were published?"""
    return all(
        (folder / name).is_file() and hashlib.sha256((folder / name).read_bytes()).hexdigest() == sha256
        for name, sha256 in NACO_FILES.items()
    )


def fetch_naco() -> Path | None:
    """Fetch the files into the user's cache, each checked by its digest; None when one cannot be had."""
    folder = Path(pooch.os_cache("lyot")) / "naco_betapic"
    downloader = pooch.HTTPDownloader(timeout=PATIENCE)
    pooch.get_logger().setLevel("WARNING")
    for name, sha256 in NACO_FILES.items():
        try:
            pooch.retrieve(NACO_ORIGIN + name, f"sha256:{sha256}", fname=name, path=folder, downloader=downloader)
        except (OSError, ValueError):  # no network or no such file; another content than was published
            return None
    return folder


def adopt_naco(store: Store, folder: Path) -> Kept:
    """Adopt the real sequence of beta Pictoris.

    The star is at (51, 51) by the symmetry of the frames. The angles are parallactic angles: −104.84° turns them to
    the pupil, 0.45° to true north (Absil et al. 2013). The PSF is normalised; the star's flux belongs to the frames.
    """
    options = AdoptOptions(
        angles=folder / "naco_betapic_pa.fits",
        psf=folder / "naco_betapic_psf.fits",
        psf_normalised=True,
        instrument="naco",
        target="beta Pic",
        date="2013-01-31",
        filter="L'",
        north=-104.39,
        centre=(51.0, 51.0),
        centre_error=0.37,  # the 10 mas that the publication states for either coordinate of b
        star_flux=(764939.6,),
        coronagraph="AGPM",
        release_date=RELEASED,
    )
    return adopt(store, folder / "naco_betapic_cube.fits", options=options)


def adopt_simulated(store: Store, seed: int = SEED) -> Kept:
    """Adopt a simulated sequence, by the way that any cube comes in."""
    sequence = simulate_sequence(seed)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        write_sequence(sequence, folder)
        options = AdoptOptions(
            angles=folder / "angles.fits",
            psf=folder / "psf.fits",
            psf_normalised=True,
            instrument="sphere-irdis",
            target="Simulated star 1",
            date="2026-01-01",
            filter="H2",
            pixel_scale=sequence.pixel_scale,
            star_flux=(sequence.star_flux,),
            coronagraph="perfect",
            survey=SURVEY,
            survey_description=SURVEY_DESCRIPTION,
            release_date="2026-01-01",
            simulated=True,
        )
        return adopt(store, folder / "cube.fits", options=options)


def write_sequence(sequence: Sequence, folder: Path) -> None:
    """Write `cube.fits`, `angles.fits` and `psf.fits` of a simulated sequence; the truth is in the cube's header."""
    cube = fits.PrimaryHDU(sequence.frames)
    for number, planet in enumerate(sequence.planets, 1):
        cube.header[f"HIERARCH TRUTH PLANET{number} SEPARATION"] = (planet.separation, "[mas]")
        cube.header[f"HIERARCH TRUTH PLANET{number} ANGLE"] = (planet.position_angle, "[deg] East of North")
        cube.header[f"HIERARCH TRUTH PLANET{number} CONTRAST"] = planet.contrast
    cube.writeto(folder / "cube.fits")
    fits.PrimaryHDU(np.asarray(sequence.angles)).writeto(folder / "angles.fits")
    normalised = sequence.psf / np.float32(sequence.star_flux)  # unit flux in the aperture of the star flux
    fits.PrimaryHDU(normalised).writeto(folder / "psf.fits")
