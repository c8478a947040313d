"""The front door of the engine, and what it does not drag in."""

import subprocess
import sys

import numpy as np
from sky import observe

import lyot

LATE = "scipy.ndimage", "scipy.optimize", "astropy", "pandas", "duckdb", "lyot.reduce.analyse", "lyot.reduce.select"


def test_a_recipe_its_name_and_its_model_are_asked_alike():
    cube = observe(nframes=10, size=41)
    asked = lyot.PCA(ncomp=5), "pca", lyot.Recipe(name="pca", model=lyot.PCA(ncomp=5))
    images = [lyot.subtract(cube, model).image for model in asked]
    np.testing.assert_array_equal(images[0], images[1])
    np.testing.assert_array_equal(images[0], images[2])


def test_who_only_subtracts_starlight_waits_for_nothing_that_measures():
    asked = f"import sys, lyot; lyot.subtract, lyot.PCA; print([m for m in {LATE} if m in sys.modules])"
    said = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "[]"
