"""Raw frames: calibration against the rate at which astropy reads them, memory against one file, spectra a second.

Times are those of the processor: all that is timed here runs on one core, and a busy machine does not blur them.
"""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from harness import at_most, keep

from lyot.reduce.associate import associate
from lyot.reduce.classify import classify
from lyot.reduce.group import group
from lyot.reduce.irdis import begin
from lyot.reduce.workflows import make_masters, workflow_of

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import raw_ifs
import raw_irdis

from lyot.instruments.sphere_frames import IFS_LASER_ROWS
from lyot.reduce.ifs.crosstalk import without_crosstalk
from lyot.reduce.ifs.extract import extraction
from lyot.reduce.ifs.lattice import find_lattice
from lyot.reduce.ifs.mosaic import squares
from lyot.reduce.ifs.traces import follow

PEAK = """
import resource, sys
sys.path[:0] = sys.argv[1:2]
from bench_raw import calibrated
before = int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize() // 1024
calibrated(sys.argv[2])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def worked(function):
    start = time.process_time()
    function()
    return time.process_time() - start


def dataset_of(folder):
    paths = sorted(Path(folder).glob("*.fits"))
    return group(classify(fits.getheader(path), str(path), path.name) for path in paths)


def prepared(folder):
    """A night with its masters, every step that treats frames done."""
    found = dataset_of(folder)
    (dataset,) = found.datasets
    workflow = workflow_of(dataset)
    masters, _ = make_masters(workflow, associate(dataset, found.calibrations))
    night = begin(dataset, masters)
    for step in workflow.steps[:4]:
        night = step(night)
    return night


def calibrated(folder):
    for _ in prepared(folder).science:
        pass


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("irdis")
    raw_irdis.write_night(made)
    return made


def test_calibration_against_reading(folder):
    night = prepared(folder)

    def read():
        for one in night.science.files:
            with fits.open(one.path, memmap=False) as hdus:
                hdus[0].data.astype(np.float32)

    def calibrate():
        for _ in night.science:
            pass

    read(), calibrate()
    mine, others = [], []
    for _ in range(5):
        mine.append(worked(calibrate))
        others.append(worked(read))
    keep("IRDIS calibration", min(mine), min(others), 0.1, "astropy")


def test_memory(folder):
    """Above what the interpreter and its libraries hold, over one raw file and the masters."""
    path = Path(dataset_of(folder).datasets[0].science[-1].path)
    with fits.open(path, memmap=False) as hdus:  # as long as a usual file
        hdus[0].data = np.concatenate([hdus[0].data] * 12)
        hdus.writeto(path, overwrite=True, output_verify="silentfix")
    found = dataset_of(folder)
    file = max(Path(one.path).stat().st_size for one in found.datasets[0].science)
    masters, _ = make_masters(workflow_of(found.datasets[0]), associate(found.datasets[0], found.calibrations))
    held = sum(plane.nbytes for one in masters.values() for plane in one.planes.values())
    done = subprocess.run([sys.executable, "-c", PEAK, str(Path(__file__).parent), str(folder)],
                          capture_output=True, text=True, check=True)
    peak = 1024 * int(done.stdout.split()[-1])
    at_most("IRDIS memory over a raw file", (peak - held) / file, 3.0, file_MB=round(file / 1e6),
            masters_MB=round(held / 1e6))


def test_extraction_of_spectra():
    """Cross-talk, spectra and square images of one frame after the other."""
    places = raw_ifs.lenslets(-11.3)
    light = np.broadcast_to([2000.0, 5000.0, 3000.0], (len(places), 3))
    image = raw_ifs.render(places, np.array(raw_ifs.LASERS), light)
    image = (image + np.random.default_rng(1).normal(0, 4, image.shape)).astype(np.float32)
    traces = follow(image, find_lattice(image, np.array(IFS_LASER_ROWS["YJ"])), np.array(raw_ifs.LASERS))
    spectra = extraction(traces, np.linspace(0.95, 1.346, 39), 2048, {})
    mosaic, _ = squares(traces.ideal, 291, np.ones(len(traces.ideal), bool), beam=3.28)

    def extract():
        light = (spectra @ without_crosstalk(image).ravel()).reshape(len(traces.ideal), -1)
        return np.ascontiguousarray((mosaic @ light).T)

    extract()
    at_most("IFS extraction, s a frame", min(worked(extract) for _ in range(8)), 0.25)
