"""Steps and recipes: what is done to a cube, written out so that it can be replayed."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, SerializeAsAny, field_validator

from lyot.cube import Cube, Images
from lyot.declaration import Declaration
from lyot.errors import BadInput

if TYPE_CHECKING:
    from lyot.reduce.reduction import Reduction

Strategy = Literal["adi", "sdi", "asdi", "rdi"]
Collapse = Literal["median", "mean"]
RULES = "select", "components"  # fields of a recipe that leave something for the cube to decide


class Step(Declaration):
    """One thing done to data: its fields are its parameters, its `version` is bumped when its result changes."""

    version: ClassVar[int] = 1

    def record(self) -> dict[str, Any]:
        """JSON that replays the step: where it is, its version, and every parameter."""
        return {
            "step": f"{type(self).__module__}:{type(self).__qualname__}",
            "version": self.version,
            "parameters": {name: getattr(self, name) for name in type(self).model_fields},
        }


def replay(record: dict[str, Any]) -> Step:
    """The step of a record.

    Raises
    ------
    BadInput
        If there is no such step, or it has moved on to another version.
    """
    module, _, name = str(record["step"]).partition(":")
    if not module.startswith("lyot.reduce."):
        raise BadInput(f"{module} holds no steps of ours")
    try:
        step = getattr(importlib.import_module(module), name)(**record["parameters"])
    except (ImportError, AttributeError):
        raise BadInput(f"there is no step {record['step']}") from None
    if not isinstance(step, Step):
        raise BadInput(f"{record['step']} is no step")
    if step.version != record["version"]:
        raise BadInput(
            f"{name} is at version {step.version}, the record wants version {record['version']}",
            hint="install the release of Lyot that made the product",
        )
    return step


class Recipe(Declaration):
    """A starlight subtraction: which model, looking where, and how the frames are combined.

    A starlight model is a step; calling the recipe on a cube gives its `Reduction`.
    """

    version: ClassVar[int] = 3  # bumped when subtracting, derotating or measuring gives another result

    name: str
    model: SerializeAsAny[Step]
    strategy: Strategy = "adi"
    collapse: Collapse = "median"
    mask_radius: float = Field(0.0, ge=0, description="px around the star that are left out")
    library_size: int = Field(100, ge=1, description="frames of other stars that strategy rdi keeps, best first")
    select: SerializeAsAny[Step] | None = Field(None, description="how frames are chosen first; all are kept without")
    components: SerializeAsAny[Step] | None = Field(None, description="how their number is chosen; the model's without")

    @field_validator("select", mode="before")
    @classmethod
    def _by_threshold(cls, value: Any) -> Any:
        """Robust σ beyond which a frame is an outlier stand for the usual selection."""
        from lyot.reduce.select import FrameSelection

        if not isinstance(value, str | int | float):
            return value
        if value == "none":
            return None
        try:
            return FrameSelection(threshold=float(value))
        except (ValueError, BadInput):
            raise ValueError("a positive number of robust σ is needed, or none") from None

    @field_validator("name")
    @classmethod
    def _plain(cls, name: str) -> str:
        if not name or set(name) - set("abcdefghijklmnopqrstuvwxyz0123456789-"):
            raise ValueError(f"a recipe's name is of lower-case letters, digits and hyphens, not {name!r}")
        return name

    def record(self) -> dict[str, Any]:
        """JSON that replays the recipe."""
        written = {
            "recipe": self.name,
            "version": self.version,
            "model": self.model.record(),
            "strategy": self.strategy,
            "collapse": self.collapse,
            "mask_radius": self.mask_radius,
        }
        if self.strategy == "rdi":
            written["library_size"] = self.library_size
        for name, rule in self.open.items():
            written[name] = rule.record()
        return written

    @classmethod
    def replay(cls, record: dict[str, Any]) -> Recipe:
        """The recipe of a record."""
        if record["version"] != cls.version:
            raise BadInput(
                f"recipes are at version {cls.version}, the record wants version {record['version']}",
                hint="install the release of Lyot that made the product",
            )
        rest = {name: value for name, value in record.items() if name not in ("recipe", "version", "model", *RULES)}
        rules = {name: replay(record[name]) for name in RULES if name in record}
        return cls(name=record["recipe"], model=replay(record["model"]), **rules, **rest)

    def __call__(self, cube: Cube, library: Images | None = None) -> Reduction:
        """Residual frames and their combination; measuring them is `lyot.reduce.analyse`.

        `library`, (nref, y, x) counts, are the frames of other stars that strategy "rdi" wants.
        """
        from lyot.reduce.settle import carry_out

        return carry_out(cube, self, library)

    @property
    def open(self) -> dict[str, Step]:
        """Rules by which the cube decides, before any starlight is subtracted; `lyot.reduce.settle` follows them."""
        return {name: rule for name in RULES if (rule := getattr(self, name)) is not None}

    @property
    def parameters(self) -> str:
        """The model's parameters in words, as `ncomp=5`; `ncomp=auto` where the cube decides."""
        values = {name: getattr(self.model, name) for name in type(self.model).model_fields}
        if self.components is not None:
            values["ncomp"] = "auto"
        if self.select is not None:
            values["select"] = f"{getattr(self.select, 'threshold', self.select):g}"
        return ", ".join(f"{name}={value}" for name, value in values.items())
