"""The front door of the engine, and what it does not drag in."""

import subprocess
import sys

import numpy as np
import pytest
from sky import observe

import lyot
from lyot.errors import BadInput

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


def test_a_wrong_word_is_named_in_one_sentence():
    cube = observe(nframes=4, size=21)
    for asked, said in (({"strategy": "best"}, "strategy is 'best': input should be 'adi', 'sdi'"),
                        ({"collapse": "sum"}, "collapse is 'sum': input should be 'median' or 'mean'")):  # fmt: skip
        with pytest.raises(BadInput, match=said):
            lyot.subtract(cube, lyot.PCA(ncomp=2), **asked)
    with pytest.raises(BadInput, match="ncomp is 0: input should be greater than or equal to 1"):
        lyot.PCA(ncomp=0)
