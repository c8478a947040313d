"""A handful of raw IRDIS files with a star, its spots and one planet, made for the tests of the reducer alone."""

from pathlib import Path

import numpy as np
from astropy.io import fits
from sphere_headers import raw_header

FWHM = (3.3, 3.5)  # px, H2 and H3
STARS = ((521.2, 484.6), (509.4, 486.3 + 1024))  # (y, x) of the undithered star, left and right
LIGHT = 2.0e5  # peak of the star off the coronagraph, counts in 1 s without density
DENSITY = (1.183e-2, 1.781e-2)  # ND_2.0 in H2 and H3
SQUEEZE = 1.0062  # the sky is smaller on y
PLANET = (60.0, -15.0, 2e-3)  # +x and +y from the star on the stretched image, px; contrast
EXPOSURE = {"science": 16.0, "centre": 16.0, "flux": 2.0}


def gaussian(y0: float, x0: float, fwhm: float, shape=(1024, 2048)) -> np.ndarray:
    """A star of height 1."""
    image = np.zeros(shape)
    top, left = max(0, int(y0) - 30), max(0, int(x0) - 30)
    y, x = np.mgrid[top : top + 61, left : left + 61]
    image[top : top + 61, left : left + 61] = np.exp(-4 * np.log(2) * ((y - y0) ** 2 + (x - x0) ** 2) / fwhm**2)
    return image


def write_night(folder: Path, seed: int = 1) -> dict[str, np.ndarray]:
    """Write the files; the detector's flat, dark and bad pixels come back."""
    rng = np.random.default_rng(seed)
    flat = rng.normal(1.0, 0.03, (1024, 2048)).clip(0.8, 1.2)
    dark = rng.normal(2.0, 0.2, (1024, 2048))
    bad = rng.random((1024, 2048)) < 0.01
    count = 0

    def write(kind: str, light: list[np.ndarray], exposure: float, **cards: object) -> None:
        nonlocal count
        frames = []
        for one in light:
            counts = one * exposure * flat + dark * exposure + 10.0 + rng.normal(0, 3, flat.shape)
            frames.append(np.where(bad, 5000.0, counts))
        minute = 5 * count
        start = f"2016-09-16T{3 + minute // 60:02d}:{minute % 60:02d}:00.000"
        header = raw_header(kind, DET_SEQ1_DIT=exposure, DET_NDIT=len(light), DATE_OBS=start, **cards)
        seconds = len(light) * (exposure + 0.938)
        end = f"2016-09-16T{3 + minute // 60:02d}:{minute % 60 + int(seconds // 60):02d}:{seconds % 60:06.3f}"
        extra = {"DET FRAM UTC": end, "DET DITDELAY": 0.2, "INS4 DROT2 RA": 54717.0, "INS4 DROT2 DEC": -510359.0}
        for name, value in extra.items():
            header[f"HIERARCH ESO {name}"] = value
        data = np.array(frames, np.float32)
        fits.PrimaryHDU(data, header).writeto(folder / f"SPHER.{count:03d}.fits", output_verify="silentfix")
        count += 1

    def scene(dither: tuple[float, float], spots: bool) -> np.ndarray:
        image = np.zeros(flat.shape)
        for (y0, x0), fwhm, radius in zip(STARS, FWHM, (45.96, 48.09), strict=True):
            y, x = y0 + dither[1], x0 + dither[0]
            image += 20 * gaussian(y, x, 12.0)
            dx, dy, contrast = PLANET
            image += contrast * LIGHT * gaussian(y + dy / SQUEEZE, x + dx, fwhm)
            if spots:
                for angle in np.radians([45, 135, 225, 315]):
                    image += 100 * gaussian(y + radius * np.sin(angle) / SQUEEZE, x + radius * np.cos(angle), fwhm)
        return image

    for exposure in (16.0, 2.0):
        write("DARK", [np.zeros(flat.shape)] * 3, exposure)
    for exposure in (2.0, 4.0):
        write("FLAT,LAMP", [np.full(flat.shape, 1500.0)] * 2, exposure)
    off = sum(LIGHT * t * gaussian(y + 2, x + 30, f) for (y, x), t, f in zip(STARS, DENSITY, FWHM, strict=True))
    write("OBJECT,FLUX", [off] * 2, EXPOSURE["flux"], INS4_FILT2_NAME="ND_2.0")
    dither = {"INS1_DITH_POSX": -2.0, "INS1_DITH_POSY": 3.0}
    write("OBJECT,CENTER", [scene((-2.0, 3.0), True)], EXPOSURE["centre"], OCS_WAFFLE_ORIENT="x", **dither)
    for shift in ((0.0, 0.0), (1.0, -2.0)):
        dither = {"INS1_DITH_POSX": shift[0], "INS1_DITH_POSY": shift[1]}
        write("OBJECT", [scene(shift, False)] * 2, EXPOSURE["science"], **dither)
    return {"flat": flat, "dark": dark, "bad": bad}
