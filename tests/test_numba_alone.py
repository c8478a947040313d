"""What a process that only subtracts starlight does not load, and that nothing is the worse for it."""

import subprocess
import sys

SUBTRACTED = """
import sys
import numpy as np
import lyot
frames = np.random.default_rng(1).normal(size=(8, 31, 31)).astype(np.float32)
lyot.subtract(lyot.Cube(frames, np.linspace(0, 90, 8), [1.6], 12.25, fwhm=4.0), lyot.PCA(ncomp=2))
assert "numba" in sys.modules and "scipy.linalg" not in sys.modules
"""
MULTIPLIED = """
import numba
product = numba.njit(lambda one, other: one @ other)
assert product(np.full((2, 2), 3.0), np.eye(2)).tolist() == [[3.0, 3.0], [3.0, 3.0]]
import scipy.linalg
assert scipy.linalg.eigh(np.eye(2))[0].tolist() == [1.0, 1.0]
"""


def test_who_subtracts_starlight_does_not_wait_for_scipy():
    subprocess.run([sys.executable, "-W", "error::ImportWarning", "-c", SUBTRACTED], check=True)


def test_products_of_matrices_can_still_be_compiled():
    subprocess.run([sys.executable, "-c", SUBTRACTED + MULTIPLIED], check=True)
