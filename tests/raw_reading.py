"""Raw files read without the reducer: frames made clean by hand, real headers, the textbook's parallactic angle."""

import re

import numpy as np
from astropy.io import fits


def real_headers(shared_data, pattern="SPHER.*.hdr.txt"):
    for path in sorted((shared_data / "sphere_headers").glob(pattern)):
        lines = [line.rstrip("\n") for line in path.read_text().splitlines() if "=" in line]
        yield path.name, {line.split("=", 1)[0].strip(): line.split("=", 1)[1] for line in lines}


def number(text):
    return float(re.split(r" /", text)[0].strip(" '"))


def degrees(packed):
    """DDMMSS.s to degrees, the sign kept."""
    whole, seconds = divmod(abs(packed), 100.0)
    hours, minutes = divmod(whole, 100.0)
    return np.copysign(hours + minutes / 60 + seconds / 3600, packed)


def hour_angle_formula(ra, dec, lst):
    """The textbook parallactic angle, which the simulator does not use. Hours, deg."""
    angle, dec, latitude = np.radians((lst - ra / 15) * 15), np.radians(dec), np.radians(-24.6268)
    return np.degrees(np.arctan2(np.sin(angle), np.cos(dec) * np.tan(latitude) - np.sin(dec) * np.cos(angle)))


def named(truth, kind):
    return [one for one in truth.files if one.kind == kind]


def read(folder, one):
    with fits.open(folder / one.name) as hdus:
        return hdus[0].data.astype(float), hdus[0].header.copy()


def clean(image, bad):
    """Bad pixels replaced by the median of the good ones around them."""
    good = np.where(bad, np.nan, image)
    around = np.stack([np.roll(good, (i, j), (0, 1)) for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j])
    return np.where(bad, np.nanmedian(around, axis=0), image)


def centroid(image, x, y, half=6):
    """Centre of light of what stands above the lowest third, (x, y)."""
    column, row = round(x), round(y)
    cut = image[row - half : row + half + 1, column - half : column + half + 1]
    weight = np.clip(cut - np.percentile(cut, 60), 0, None) ** 1.5
    rows, columns = np.mgrid[row - half : row + half + 1, column - half : column + half + 1]
    return (weight * columns).sum() / weight.sum(), (weight * rows).sum() / weight.sum()


def flat_of(folder, truth):
    flats = sorted(named(truth, "FLAT,LAMP"), key=lambda one: one.dit)
    low, high = (read(folder, one)[0].mean(axis=0) for one in (flats[0], flats[-1]))
    slope = (high - low) / (flats[-1].dit - flats[0].dit)
    return slope / np.median(slope[100:900, 100:900])


def reduced(folder, truth, one, half=0):
    """Frames of one half less the dark of their integration time, over the flat; cleaned around the star."""
    darks = [d for d in named(truth, "DARK,BACKGROUND") if d.dit == one.dit]
    near = (slice(400, 640), slice(1024 * half + 360, 1024 * half + 600))
    dark = read(folder, darks[0])[0].mean(axis=0)
    flat = flat_of(folder, truth)[near]
    warm = read(folder, named(truth, "DARK,BACKGROUND")[0])[0].mean(axis=0)[near]
    bad = (np.abs(flat - 1) > 0.25) | (warm > np.median(warm) + 40)
    frames = np.zeros((one.nframes, 1024, 1024))
    for frame, raw in zip(frames, read(folder, one)[0], strict=True):
        frame[400:640, 360:600] = clean((raw - dark)[near] / np.where(bad, 1, flat), bad)
    return frames
