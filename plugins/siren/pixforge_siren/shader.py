"""Networks of coordinates as fragment shaders, and the exporter that saves them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from pydantic import Field

from pixforge.contracts import Config, Exporter, FileName, Output, StepReport
from pixforge.errors import UnsupportedError
from pixforge.tools import LastLatents

if TYPE_CHECKING:
    import torch

Bend = Literal["atan", "sin"]
FOUR = 4


@runtime_checkable
class Shader(Protocol):
    """A generator that is a function of the coordinates."""

    def glsl(self, canvas: int) -> str:
        """A shader of one canvas."""


class GlslConfig(Config):
    """The name of the file."""

    type: Literal["glsl"] = "glsl"
    name: FileName = Field("shader", description="Name of the file, without .glsl.")


class Glsl(Exporter[GlslConfig]):
    """Saves the networks of `cppn` and `siren` as fragment shaders, which run at any size in real time.

    Each file has `mainImage` as Shadertoy asks for it. Filters change only pixels, so the shader is without them.
    """

    def __init__(self, config: GlslConfig, output: Output) -> None:
        super().__init__(config, output)
        if not isinstance(output.generator, Shader):
            raise UnsupportedError(
                "exporter 'glsl' saves functions of the coordinates, and this generator is none; use cppn or siren"
            )
        self._shader = output.generator
        self._last = LastLatents(output.generator)
        self._started = False

    @classmethod
    def claims(cls, config: GlslConfig, canvases: int) -> list[str]:
        """One file for each canvas."""
        return [f"{config.name}{f'-{index:02d}' if canvases > 1 else ''}.glsl" for index in range(canvases)]

    def write(self, report: StepReport) -> None:  # noqa: ARG002 - the network is in the generator
        """Remember the state: only the last one is saved, when the exporter is closed."""
        self._last.keep()
        self._started = True

    def close(self) -> None:
        """Write each canvas to a temporary file and rename it, so that the named file is never incomplete."""
        if not self._started:
            return
        self._last.put_back()
        for canvas, name in enumerate(self.files()):
            part = self.output.path(f".{name}.part")
            part.write_text(self._shader.glsl(canvas), encoding="utf-8")
            part.replace(self.output.path(name))

    def files(self) -> list[str]:
        """One file name for each canvas."""
        return self.claims(self.config, self.output.canvases)


def shader(layers: Sequence[tuple[torch.Tensor, ...]], bend: Bend, reach: float) -> str:
    """A network as a fragment shader.

    Args:
        layers: weights `[in, out]` and biases `[1, out]`; the first has 2 inputs, the last 3 outputs. With `atan` all but
            the first have twice the outputs before them: those of the arc tangents, and those of their squares.
        bend: what comes after each layer but the last, which ends in a sigmoid.
        reach: the coordinates go from minus this to this along the longer side.
    """
    lines = [
        "// Made by pixforge. Paste it into a shader of Shadertoy, or call mainImage from your own main().",
        "void mainImage(out vec4 fragColor, in vec2 fragCoord) {",
        f"  vec2 p = {reach:.7f} * (2.0 * fragCoord - iResolution.xy) / max(iResolution.x, iResolution.y);",
        "  vec4 v0_0 = vec4(p.x, -p.y, 0.0, 0.0);",
    ]
    inputs = ["v0_0"]
    for number, (weight, bias) in enumerate(layers, 1):
        halves = 2 if bend == "atan" and number > 1 else 1
        rows = _padded(weight, halves)
        names = []
        for block, numbers in enumerate(_filled(bias.flatten()).split(FOUR)):
            name = f"v{number}_{block}"
            columns = rows[:, FOUR * block : FOUR * (block + 1)]
            parts = [
                f"{_mat4(columns[FOUR * index : FOUR * (index + 1)])} * {value}"
                for index, value in enumerate(inputs)
            ]
            lines.append(f"  vec4 {name} = {' + '.join([_vec4(numbers), *parts])};")
            names.append(name)
        if number < len(layers):
            inputs = _bent(lines, names, bend)
    lines += [f"  fragColor = vec4(1.0 / (1.0 + exp(-v{len(layers)}_0.xyz)), 1.0);", "}", ""]
    return "\n".join(lines)


def _bent(lines: list[str], names: list[str], bend: Bend) -> list[str]:
    """Add the activations of a layer; return the names of what the next one reads."""
    if bend == "sin":
        lines += [f"  {name} = sin({name});" for name in names]
        return names
    lines += [f"  {name} = atan({name});" for name in names]
    lines += [f"  vec4 {name}s = {name} * {name} / 0.6;" for name in names]
    lines += [f"  {name} = {name} / 0.67;" for name in names]
    return [*names, *(f"{name}s" for name in names)]


def _padded(weight: torch.Tensor, halves: int) -> torch.Tensor:
    """`[in, out]` with zeros up to multiples of four; each half of the inputs by itself."""
    import torch.nn.functional as F  # noqa: N812

    inputs, outputs = weight.shape[0] // halves, weight.shape[1]
    parts = weight.float().cpu().view(halves, inputs, outputs)
    return F.pad(parts, (0, -outputs % FOUR, 0, -inputs % FOUR)).flatten(0, 1)


def _filled(bias: torch.Tensor) -> torch.Tensor:
    import torch.nn.functional as F  # noqa: N812

    return F.pad(bias.float().cpu(), (0, -len(bias) % FOUR))


def _mat4(columns: torch.Tensor) -> str:
    return f"mat4({', '.join(_number(each) for each in columns.flatten().tolist())})"


def _vec4(numbers: Any) -> str:
    return f"vec4({', '.join(_number(each) for each in numbers.tolist())})"


def _number(value: float) -> str:
    text = f"{value:.6g}"
    return text if "." in text or "e" in text else f"{text}.0"
