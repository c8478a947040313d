"""Lyot: an open data centre for high-contrast imaging of exoplanets.

The public names are found when first asked for, so that `import lyot` is quick.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_PUBLIC = {
    "Cube": "lyot.cube",
    "derotate": "lyot.reduce.derotate",
    "subtract": "lyot.reduce.analyse",
    "snr_map": "lyot.reduce.measure",
    "contrast_curve": "lyot.reduce.analyse",
    "find_companions": "lyot.reduce.analyse",
    "fit_companion": "lyot.reduce.analyse",
    "Recipe": "lyot.reduce.step",
    "NoADI": "lyot.reduce.psf.noadi",
    "ClassicalADI": "lyot.reduce.psf.cadi",
    "PCA": "lyot.reduce.psf.pca",
}

__all__ = ["__version__", *sorted(_PUBLIC)]


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'lyot' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
