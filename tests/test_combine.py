"""Frames turned and combined a strip at a time are those turned and combined at once."""

import numpy as np
import pytest

from lyot.reduce import combine as combine_module
from lyot.reduce.collapse import collapse
from lyot.reduce.combine import combine, strip_height
from lyot.reduce.derotate import derotate


@pytest.mark.parametrize("how", ["median", "mean"])
def test_strips_make_the_same_image(how, monkeypatch):
    """To the rounding of single precision: the order of a sum may differ."""
    frames = np.random.default_rng(5).normal(size=(7, 83, 70)).astype(np.float32)
    frames[2, 12:15, 20] = np.nan
    angles = np.linspace(-100.0, 60.0, 7)
    monkeypatch.setattr(combine_module, "WHOLE", 0)
    monkeypatch.setattr(combine_module, "STRIP", 7 * 70 * 30)
    assert strip_height(frames.shape) == 30  # three strips, the last of 23 rows
    out = np.empty((83, 70), np.float32)
    combine(frames, angles, how, out)
    assert np.allclose(out, collapse(derotate(frames, angles), how), atol=2e-6, equal_nan=True)


def test_a_strip_is_never_taller_than_the_image():
    assert strip_height((500_000, 9, 9)) == 9
