"""Lyot: an open data centre for high-contrast imaging of exoplanets.

The public names are found when first asked for, so that `import lyot` is quick.
"""

import gc
import os
import sys
from importlib import import_module
from typing import Any

# OpenBLAS reads this when numpy is first imported. Its idle threads otherwise spin for some 20 ms (2^26 cycles) after
# each matrix product and take the cores from the compiled loops that come next, which makes a reduction take twice as
# long. At 2^4 cycles they sleep at once.
os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "4")

__version__ = "0.1.0"

_PUBLIC = {
    "Cube": "lyot.cube",
    "derotate": "lyot.reduce.derotate",
    "subtract": "lyot.reduce.subtract",
    "snr_map": "lyot.reduce.measure",
    "contrast_curve": "lyot.reduce.analyse",
    "find_companions": "lyot.reduce.analyse",
    "fit_companion": "lyot.reduce.analyse",
    "Recipe": "lyot.reduce.step",
    "NoADI": "lyot.reduce.psf.noadi",
    "ClassicalADI": "lyot.reduce.psf.cadi",
    "PCA": "lyot.reduce.psf.pca",
    "RadialProfile": "lyot.reduce.psf.radial",
    "AnnularPCA": "lyot.reduce.psf.annular_pca",
    "LOCI": "lyot.reduce.psf.loci",
    "TLOCI": "lyot.reduce.psf.tloci",
}

__all__ = ["__version__", *sorted(_PUBLIC)]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'lyot' has no attribute {name!r}")
    new = _PUBLIC[name] not in sys.modules
    found = getattr(import_module(_PUBLIC[name]), name)
    if new and "duckdb" not in sys.modules:  # which tells of leaks where it is left in peace at the end
        # The half a million objects of imported libraries stay to the end. Looking through them for garbage again and
        # again, last when the process ends, would take a quarter of the time of a short one.
        gc.freeze()
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
