"""References from other stars' cubes in the store: which they are, what they do, and how they name the product."""

from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits
from click.testing import CliRunner
from sky import FWHM, Planet, observe

from lyot.build import run as running
from lyot.build.adopt import adopt
from lyot.build.library import frames_of, library_of
from lyot.build.missing import overview
from lyot.build.options import AdoptOptions
from lyot.build.plan import current_cubes, plan
from lyot.build.run import reduce_one, run
from lyot.catalog import hcifits
from lyot.cli import cli
from lyot.errors import Unprocessable
from lyot.level1 import read_cube
from lyot.reduce.starlight import subtract
from lyot.store import Store

PLANET = Planet(separation=20.0, position_angle=120.0, contrast=3e-3)
SIZE = 61
RDI = {"recipes": ["pca"], "settings": {"strategy": "rdi", "ncomp": 4}}


@pytest.fixture
def store(tmp_path):
    return Store(str(tmp_path / "store"))


def keep(store, folder, cube, target, date="2013-01-31", **options):
    """Adopt a cube as the observation of a star."""
    folder = folder / f"{target} {date}".replace(" ", "-")
    folder.mkdir()
    fits.writeto(folder / "cube.fits", cube.frames)
    fits.writeto(folder / "angles.fits", cube.angles)
    fits.writeto(folder / "psf.fits", cube.psf)
    given = {"instrument": "naco", "filter": "L'", "star_flux": tuple(cube.star_flux), **options}
    about = AdoptOptions(angles=folder / "angles.fits", psf=folder / "psf.fits", target=target, date=date, **given)
    return adopt(store, folder / "cube.fits", options=about)


@pytest.fixture(autouse=True)
def unmeasured(monkeypatch):
    """Images alone: measuring them is tested elsewhere, and takes long."""
    monkeypatch.setattr(running, "analyse", lambda cube, recipe, *, errors, library: subtract(cube, recipe, library))


@pytest.fixture(scope="module")
def stars():
    """A star with a planet in a field that hardly turns, and one without: the same optics, thrice as bright."""
    science = observe(PLANET, nframes=10, size=SIZE, rotation=0.5, noise=1.0)
    reference = observe(nframes=14, size=SIZE, rotation=30.0, noise=1.0)
    return science, replace(reference, frames=3.0 * reference.frames)


def test_a_planet_is_found_by_another_star(store, stars, tmp_path):
    """ADI can do nothing without rotation; the other star knows the speckles."""
    science, reference = stars
    cube, other = keep(store, tmp_path, science, "beta Pic"), keep(store, tmp_path, reference, "HD 1")
    (job,) = plan(store, [cube.product.dataset], **RDI)
    (outcome,) = run(store, [job])
    assert (outcome.outcome, outcome.message) == ("done", "")
    made = store.get(job.reduction)
    assert made.product.inputs == (cube.key, other.key)
    assert made.product.label == "pca-rdi-ncomp-4"
    row = store.rows(made, "reduction").to_pylist()[0]
    assert row["strategy"] == "rdi"
    image = hcifits.read(store.read(made, "fits")).images[0]
    y, x = np.indices(image.shape) - SIZE // 2
    far = np.where((np.hypot(y, x) > 2 * FWHM) & np.isfinite(image), image, -np.inf)
    j, i = np.unravel_index(np.argmax(far), far.shape)
    row, column = PLANET.place(0.0, image.shape)
    assert np.hypot(j - row, i - column) <= 1.0  # the pixel of the peak
    assert not plan(store, [cube.product.dataset], **RDI)


def test_a_new_star_makes_another_product(store, stars, tmp_path):
    science, reference = stars
    cube = keep(store, tmp_path, science, "beta Pic")
    (alone,) = plan(store, [cube.product.dataset], **RDI)
    (refused,) = run(store, [alone])
    assert refused.outcome == "unprocessable"
    assert "there is no other star's cube" in refused.message
    assert not plan(store, [cube.product.dataset], **RDI)  # it is not tried again for nothing
    keep(store, tmp_path, reference, "HD 1")
    (first,) = plan(store, [cube.product.dataset], **RDI)
    reduce_one(store, first.cube, first.recipe, first.library)
    keep(store, tmp_path, reference, "HD 2")
    (second,) = plan(store, [cube.product.dataset], **RDI)
    assert len({job.reduction.key for job in (alone, first, second)}) == 3
    reached = {one["dataset"]: one["level"] for one in overview(store)}
    assert reached[cube.product.dataset] == 2
    assert sorted(reached.values()) == [1, 1, 2]  # a star that served as a reference is not reduced by that


def test_references_are_of_other_stars_seen_the_same_way(store, stars, tmp_path):
    science, reference = stars
    cube = keep(store, tmp_path, science, "beta Pic")
    good = keep(store, tmp_path, reference, "HD 1")
    keep(store, tmp_path, reference, "beta Pic", date="2014-01-31")
    keep(store, tmp_path, reference, "HD 2", filter="Ks")
    keep(store, tmp_path, reference, "HD 3", coronagraph="AGPM")
    keep(store, tmp_path, reference, "HD 4", simulated=True)
    keep(store, tmp_path, reference, "HD 5", workspace="other")
    assert [kept.key for kept in library_of(store, cube, current_cubes(store))] == [good.key]


def test_the_best_frames_are_kept_of_cubes_of_any_size(store, stars, tmp_path):
    science, reference = stars
    rng = np.random.default_rng(1)
    unlike = rng.normal(size=reference.frames.shape).astype(np.float32)
    wide = np.pad(reference.frames, ((0, 0), (0, 0), (4, 4), (4, 4)), constant_values=np.nan)
    small = reference.frames[..., 5:-5, 5:-5]
    cube = keep(store, tmp_path, science, "beta Pic")
    names = ("HD 1", "HD 2", "HD 3")
    others = [
        keep(store, tmp_path, replace(reference, frames=frames), name)
        for name, frames in zip(names, (unlike, wide, small), strict=True)
    ]
    read = read_cube(store.read(cube, "fits"))
    best = frames_of(store, others, read, 10)
    assert best.shape == (1, 10, SIZE, SIZE)
    assert all(any(np.array_equal(one, frame) for frame in reference.frames[0]) for one in best[0])
    assert frames_of(store, others, read, 1000).shape[1] == 28
    with pytest.raises(Unprocessable, match="no other star's cube"):
        frames_of(store, others[2:], read, 10)


def test_the_command_says_why_it_cannot(store, stars, tmp_path):
    cube = keep(store, tmp_path, stars[0], "beta Pic")
    asked = ["reduce", cube.product.dataset, "--store", store.url, "--recipe", "pca", "--set", "strategy=rdi"]
    said = CliRunner().invoke(cli, asked)
    assert said.exit_code == 1
    assert "there is no other star's cube of this instrument, filter, coronagraph" in said.output
