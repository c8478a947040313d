"""What every model gives: five outputs, per wavelength and stacked; and frames left out with their reasons."""

from dataclasses import replace

import numpy as np
import pytest
from sky import Planet, observe

from lyot.instrument import Coronagraph
from lyot.reduce.analyse import analyse
from lyot.reduce.recipes import RECIPES, recipe
from lyot.reduce.select import CODES

SMALL = {"pca": {"ncomp": 3}, "annular-pca": {"ncomp": 2}, "loci": {"area": 0}, "tloci": {"area": 60}}
HALF = Coronagraph(names=("half",), separations=(0.0, 5000.0), transmissions=(0.5, 0.5), reference="a test")


@pytest.fixture(scope="module")
def cube():
    """Two wavelengths; the fourth frame three times as bright as its neighbours."""
    seen = observe(Planet(14.0, 60.0, 3e-3), nframes=12, size=51, rotation=90.0, wavelengths=(1.6, 1.75), noise=40.0)
    frames = seen.frames.copy()
    frames[:, 3] *= 3.0
    return replace(seen, frames=frames)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name == "radial" else name for name in RECIPES]
)
def test_every_model_gives_the_five_outputs(cube, name):
    asked = recipe(name, select=6, **SMALL.get(name, {}))
    made = analyse(cube, asked)
    shape = (2, 51, 51)
    for images in (made.image, made.corrected, made.snr):  # residual, corrected for self-subtraction, S/N
        assert images.shape == shape
        assert (np.isfinite(images).mean(axis=(1, 2)) > 0.5).all()
    assert made.stacked.shape == (51, 51)
    known = np.isfinite(made.image).all(axis=0)
    np.testing.assert_allclose(made.stacked[known], made.image.mean(axis=0)[known], rtol=1e-5, atol=1e-3)

    assert {(limit.wave, limit.noise) for limit in made.limits} == {
        (wave, noise) for wave in (0, 1) for noise in ("mawet", "annulus")
    }
    for limit in made.limits:
        assert limit.sigma == 5.0
        assert (limit.contrast > 0).all()
        assert (limit.throughput > 0).all()

    assert set(made.settled["select"]) == {"3"}
    assert set(made.settled["select"]["3"].split()) <= set(CODES)
    assert "flux" in made.settled["select"]["3"]
    assert made.frames_used == 11
    assert made.residuals.shape == (2, 11, 51, 51)


def test_what_the_coronagraph_takes_is_in_every_limit(cube):
    asked = recipe("cadi")
    bare, behind = analyse(cube, asked), analyse(replace(cube, coronagraph=HALF), asked)
    assert len(bare.limits) == len(behind.limits) == 4
    for clear, dimmed in zip(bare.limits, behind.limits, strict=True):
        np.testing.assert_allclose(dimmed.contrast, 2 * clear.contrast, rtol=1e-6)
    assert any("half" in note and "a test" in note for note in behind.notes)
