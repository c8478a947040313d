"""Whole processes: time from start to end, peak memory, growth with the frames, and a cube of an IFS.

A process imports, reads a FITS file, reduces it by PCA and ends; its compiled code is on disk from a run before, as it
is after installation, and the file is in the system's cache.
"""

import math
import statistics
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from cubes import sequence
from harness import at_most, keep, seconds

from lyot.cube import Cube
from lyot.reduce.psf.cadi import ClassicalADI
from lyot.reduce.psf.pca import PCA
from lyot.reduce.step import Recipe

# The most that the process itself held since it began. What `getrusage` says is that of its parent, if that held more.
PEAK = """
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""
OURS = """
import sys
import lyot
from astropy.io import fits
def read(path):
    with fits.open(path, memmap=False) as hdus:
        return lyot.Cube(hdus[0].data, hdus[1].data, [1.6], 12.25, fwhm=4.0)
lyot.subtract(read(sys.argv[1]), lyot.PCA(ncomp=10))
"""
THEIRS = """
import sys, warnings
warnings.simplefilter("ignore")
from vip_hci.fits import open_fits
from vip_hci.psfsub import pca
cube, angles = open_fits(sys.argv[1], 0, verbose=False), open_fits(sys.argv[1], 1, verbose=False)
pca(cube, angles, ncomp=10, svd_mode="eigen", imlib="opencv", interpolation="lanczos4", verbose=False)
"""


def peak_memory(script, path):
    """Bytes that a whole process holds at most, interpreter and libraries included."""
    done = subprocess.run([sys.executable, "-c", script + PEAK, str(path)], capture_output=True, text=True, check=True)
    return 1024 * int(done.stdout.split()[-1])


def written(path, cube):
    fits.HDUList([fits.PrimaryHDU(cube.frames[0]), fits.ImageHDU(cube.angles)]).writeto(path)
    return path


def noise(nframes, size, nwave=1):
    """Frames of noise on a few common patterns: what is in them does not change what they cost."""
    rng = np.random.default_rng(0)
    patterns = rng.standard_normal((12, size, size), dtype=np.float32)
    mixed = rng.standard_normal((nwave * nframes, 12), dtype=np.float32)
    frames = rng.standard_normal((nwave * nframes, size, size), dtype=np.float32)
    for frame, weights in zip(frames, mixed, strict=True):
        frame += np.tensordot(weights, patterns, 1)
    frames = frames.reshape(nwave, nframes, size, size)
    return Cube(frames, np.linspace(10.0, 60.0, nframes), np.linspace(0.95, 1.65, nwave), 7.46, fwhm=4.0)


@pytest.mark.peers
def test_whole_process(tmp_path):
    """Import and file reading included; both with what they keep on disk."""
    pytest.importorskip("cv2", reason="opencv is not installed")
    pytest.importorskip("vip_hci", reason="VIP is not installed")
    path = written(tmp_path / "cube.fits", sequence(96, 291))
    peak_memory(OURS, path), peak_memory(THEIRS, path)
    mine, others = [], []
    for _ in range(4):
        mine += [seconds(lambda: peak_memory(OURS, path)) for _ in range(2)]
        others.append(seconds(lambda: peak_memory(THEIRS, path)))
    keep("whole process", statistics.median(mine), statistics.median(others), 4, "VIP")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux says what a process held at most")
@pytest.mark.parametrize("count", [400, 600])
def test_memory(tmp_path, count):
    """Of all that the process holds over the cube in single precision; interpreter and libraries are included."""
    cube = noise(count, 291)
    path = written(tmp_path / "cube.fits", cube)
    size = cube.frames.nbytes
    over = peak_memory(OURS, path) / size
    at_most(f"peak memory over the cube, {count} frames", over, 3.5, cube_MB=round(size / 1e6))


@pytest.mark.parametrize("model", [PCA(ncomp=10), ClassicalADI()], ids=str)
def test_growth_with_frames(model):
    """The steepest step of the power of the number of frames, from 250 to 2,000."""
    recipe, counts = Recipe(name="bench", model=model), (250, 500, 1000, 2000)
    whole = noise(counts[-1], 161)
    times = []
    for count in counts:
        cube = whole.select(np.linspace(0, counts[-1] - 1, count).astype(int))
        recipe(cube)
        times.append(min(seconds(lambda cube=cube: recipe(cube)) for _ in range(3)))
    power = math.log(times[-1] / times[0]) / math.log(counts[-1] / counts[0])
    at_most(f"power of the frames, {model}", power, 2.0, seconds=[round(t, 3) for t in times], frames=list(counts))


def test_ifs_cube(tmp_path):
    """39 wavelengths, 60 frames of 290 × 290 px; read as `astropy.io.fits` does, into numbers of this machine."""
    path = tmp_path / "ifs.fits"
    cube = noise(60, 290, 39)
    fits.writeto(path, cube.frames)
    recipe = Recipe(name="bench", model=PCA(ncomp=10))

    def read():
        with fits.open(path, memmap=False) as hdus:
            return hdus[0].data.astype(np.float32)

    read(), recipe(noise(60, 290))
    turns = [(seconds(read), seconds(lambda: recipe(cube))) for _ in range(3)]
    reading, reducing = (statistics.median(times) for times in zip(*turns, strict=True))
    at_most("IFS cube, reducing over reading", reducing / reading, 10.0, read_s=reading, reduce_s=reducing)
