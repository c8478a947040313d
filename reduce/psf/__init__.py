"""Starlight models, one file each; a file put here is found, and examined with the others."""

from importlib import import_module
from pkgutil import iter_modules

from lyot.reduce.starlight import LinearModel, PixelModel, StarlightModel


def _models() -> dict[str, type[StarlightModel]]:
    found = {}
    for module in iter_modules(__path__):
        for name, value in vars(import_module(f"{__name__}.{module.name}")).items():
            ours = isinstance(value, type) and issubclass(value, StarlightModel)
            if ours and value not in (StarlightModel, LinearModel, PixelModel):
                found[name] = value
    return dict(sorted(found.items()))


MODELS = _models()
EXAMPLES = tuple(model() for model in MODELS.values())
