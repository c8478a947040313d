"""numba without scipy's linear algebra, of which it only asks whether it is there."""

import sys
from importlib import import_module
from types import ModuleType

ASKED_FOR = "scipy.linalg", "scipy.linalg.cython_blas"


def load_alone() -> None:
    """Load the part of numba that asks; call it before the first compiled loop is.

    To know whether products of matrices can be compiled, numba imports scipy's linear algebra: 60 ms and 12 MB of each
    process. To subtract starlight needs none in a loop, so that an empty module answers for as long as numba asks.
    Whoever compiles a product of matrices, or a solution, afterwards gets the real one.
    """
    if "numba.np.arraymath" in sys.modules or "scipy.linalg" in sys.modules:
        return
    for name in ASKED_FOR:
        sys.modules[name] = ModuleType(name)
    try:
        import_module("numba.np.arraymath")
    finally:
        for name in ASKED_FOR:
            del sys.modules[name]
