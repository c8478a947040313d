"""Master flats: how sensitive each pixel is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
from pydantic import Field
from scipy.ndimage import uniform_filter

from lyot.cube import Floats, Images
from lyot.errors import Unprocessable
from lyot.instruments.sphere_frames import LEFT, RIGHT
from lyot.reduce.calibrate.master import Master
from lyot.reduce.calibrate.raw import Window, clean_mean
from lyot.reduce.classify import RawFile
from lyot.reduce.step import Step

SMOOTH = 65  # px, scale of the lamp's illumination, which is no part of a pixel's sensitivity
DARK = 0.2  # of the usual light; less is none


class MakeFlat(Step):
    """Slope of each pixel's counts against the field's, over lamp exposures of different level (IRDIS)."""

    lowest: float = Field(0.75, description="pixels less sensitive are bad")
    highest: float = Field(1.25, description="pixels more sensitive are bad")
    highest_warm: float = Field(1.5, description="the same in K")

    def __call__(self, need: str, files: Sequence[RawFile], made: Mapping[str, Master]) -> Master:
        """The master of these files, left and right images each normalised to 1.

        Raises
        ------
        Unprocessable
            If a file cannot be read, or the lamp was off.
        """
        levels = by_exposure(files)
        flat = np.ones(next(iter(levels.values())).shape, np.float32)
        for window in (window_of(LEFT.rows, LEFT.columns), window_of(RIGHT.rows, RIGHT.columns)):
            flat[window] = slopes([image[window] for image in levels.values()])
        highest = self.highest_warm if "K" in files[0].filter.upper().rsplit("_", 1)[-1] else self.highest
        bad = ~((flat > self.lowest) & (flat < highest))
        good = flat[~bad & (flat != 1.0)]
        quality = {"rms": float(good.std()), "bad_fraction": float(bad.mean()), "levels": float(len(levels))}
        return Master(need, {"VALUE": np.where(bad, np.float32(1), flat), "BAD": bad}, quality)


class MakeLampFlat(Step):
    """Difference of two exposures of one lamp, over its median (detector flats of the IFS)."""

    version: ClassVar[int] = 2  # the unlit edge is no surroundings

    lowest: float = Field(0.9, description="pixels less sensitive are bad")
    highest: float = Field(1.1, description="pixels more sensitive are bad")

    def __call__(self, need: str, files: Sequence[RawFile], made: Mapping[str, Master]) -> Master:
        """The master of these files.

        Raises
        ------
        Unprocessable
            If there is one exposure time only, a file cannot be read, or the lamp was off.
        """
        levels = by_exposure(files)
        if len(levels) < 2:
            raise Unprocessable(f"{need}: one exposure time only, two are needed", hint="take a shorter exposure too")
        shortest, longest = min(levels), max(levels)
        light = levels[longest] - levels[shortest]
        middle = float(np.median(light))
        if middle <= 0:
            raise Unprocessable(f"{need}: {longest:g} s shows no more light than {shortest:g} s; was the lamp on?")
        flat = light / np.float32(middle)
        lit = ((flat > DARK) & (flat < 1.0 / DARK)).astype(np.float32)  # the detector's unlit edge is no surroundings
        alone = flat * uniform_filter(lit, SMOOTH) / np.maximum(uniform_filter(flat * lit, SMOOTH), DARK**2)
        bad = ~((alone > self.lowest) & (alone < self.highest))
        quality = {"rms": float(flat[~bad].std()), "bad_fraction": float(bad.mean()), "level": middle}
        return Master(need, {"VALUE": np.where(bad, np.float32(1), flat), "BAD": bad}, quality)


def window_of(rows: tuple[int, int], columns: tuple[int, int]) -> Window:
    """Rows and columns as slices."""
    return slice(*rows), slice(*columns)


def by_exposure(files: Sequence[RawFile]) -> dict[float, Images]:
    """Mean image of each exposure time (s, to 10 ms)."""
    times = sorted({round(one.exposure or 0.0, 2) for one in files})
    return {
        time: clean_mean([one.path for one in files if round(one.exposure or 0.0, 2) == time])[0] for time in times
    }


def slopes(images: Sequence[Images]) -> Images:
    """Slope of each pixel against the median of the image; of one image alone, their ratio.

    Raises
    ------
    Unprocessable
        If the images are of one level, or dark.
    """
    levels: Floats = np.array([np.median(image) for image in images], dtype=float)
    if len(images) == 1:
        if levels[0] <= 0:
            raise Unprocessable("the flat shows no light; was the lamp on?")
        return np.asarray(images[0] / np.float32(levels[0]))
    away = levels - levels.mean()
    power = float(away @ away)
    if power <= (1e-3 * levels.max()) ** 2 or levels.max() <= 0:
        raise Unprocessable(f"the flats are of one level, {levels.round(1).tolist()} counts; was the lamp on?")
    return np.asarray(sum(np.float32(w / power) * image for w, image in zip(away, images, strict=True)), np.float32)
