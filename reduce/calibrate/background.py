"""Master darks and backgrounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from pydantic import Field
from scipy.stats import chi2

from lyot.instruments.sphere_frames import GAIN
from lyot.reduce.calibrate.master import Master
from lyot.reduce.calibrate.pixels import hot_pixels
from lyot.reduce.calibrate.raw import clean_mean
from lyot.reduce.classify import RawFile
from lyot.reduce.step import Step


class MakeBackground(Step):
    """Mean of darks, backgrounds or skies of one exposure, and the pixels that are hot in it."""

    lowest: float = Field(-100.0, description="counts; pixels below are bad")
    highest: float = Field(1000.0, description="counts; pixels above are bad")
    highest_warm: float = Field(15000.0, description="counts; the same in K, where the instrument glows")
    sigma: float = Field(5.0, gt=0, description="pixels that stick out by more are bad")

    def __call__(self, need: str, files: Sequence[RawFile], made: Mapping[str, Master]) -> Master:
        """The master of these files.

        Raises
        ------
        Unprocessable
            If a file cannot be read.
        """
        mean, scatter = clean_mean([one.path for one in files])
        warm = files[0].role != "dark" and "K" in files[0].filter.upper().rsplit("_", 1)[-1]
        bad = hot_pixels(mean, (self.lowest, self.highest_warm if warm else self.highest), self.sigma)
        quality = {
            "level": float(np.median(mean)),
            "bad_fraction": float(bad.mean()),
            "frames": float(sum(one.frames for one in files)),
        }
        freedom = quality["frames"] - 1
        if freedom > 0:  # the median of a variance is below its mean
            variance = float(np.median(scatter**2)) * freedom / float(chi2.ppf(0.5, freedom))
            quality["read_noise"] = variance**0.5 * GAIN[files[0].arm]
        return Master(need, {"VALUE": mean, "BAD": bad}, quality)
