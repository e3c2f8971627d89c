"""The CPPN keeps the contract, networks learn a start, and shaders show the picture."""

import logging
import re
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from pixforge_siren.cppn import Cppn, CppnConfig
from pixforge_siren.shader import Glsl, GlslConfig
from pixforge_siren.siren import Siren, SirenConfig

from pixforge.contracts import Output
from pixforge.errors import UnsupportedError
from pixforge.testing import check_component, check_exporter, make_context

SMALL = {Cppn: CppnConfig(width=6, layers=2), Siren: SirenConfig(width=6, layers=2)}


class Mat4:
    """Columns of four, as in GLSL."""

    def __init__(self, *numbers):
        self.matrix = np.array(numbers).reshape(4, 4).T

    def __mul__(self, vector):
        return self.matrix @ vector


def run(text, x, y, size):
    """The color that a shader gives to the pixel whose center is (x, y), counted from the lower left corner."""
    body = re.search(r"\{\n(.*)\n\}", text, re.DOTALL)[1]
    lines = [re.sub(r"^ *(vec[24] )?|;$", "", line) for line in body.split("\n")]
    code = "\n".join(lines).replace("v0_0 = vec4(p.x, -p.y, 0.0, 0.0)", "v0_0 = vec4(p[0], -p[1], 0.0, 0.0)")
    code = code.replace("iResolution.xy", "resolution").replace("iResolution.x, iResolution.y", "*resolution")
    code = re.sub(r"fragColor = .*exp\(-(\w+)\.xyz\).*", r"fragColor = 1 / (1 + np.exp(-\1[:3]))", code)
    names = {
        "np": np, "fragCoord": np.array([x, y]), "resolution": np.array(size), "mat4": Mat4, "max": max,
        "vec4": lambda *each: np.array(each), "atan": np.arctan, "sin": np.sin,
    }  # fmt: skip
    exec(code, names)
    return names["fragColor"]


@pytest.mark.parametrize("kind", SMALL)
def test_the_shader_shows_the_picture(kind):
    made = kind(SMALL[kind], make_context((12, 8), 2))
    with torch.no_grad():
        picture = made.forward(0)
    for canvas in range(2):
        text = made.glsl(canvas)
        for x, y in ((0, 0), (11, 7), (5, 2)):
            shown = run(text, x + 0.5, 8 - y - 0.5, (12, 8))
            np.testing.assert_allclose(shown, picture[canvas, :, y, x].numpy(), atol=2e-4)


@pytest.mark.parametrize("fields", [{}, {"width": 9, "layers": 2}])
def test_the_cppn_keeps_the_contract(fields):
    check_component(Cppn, **fields)


def test_the_exporter_keeps_the_contract():
    context = make_context()
    check_exporter(Glsl, context, Cppn(CppnConfig(width=4, layers=1), context))


def test_only_functions_of_the_coordinates_are_saved():
    with pytest.raises(UnsupportedError, match="use cppn or siren"):
        Glsl(GlslConfig(), SimpleNamespace(generator=object()))


@pytest.mark.parametrize(("kind", "most"), [(Cppn, 30), (Siren, 15)])
def test_a_start_is_learned_and_how_well_is_said(kind, most, caplog):
    made = kind(kind.config_type(fit=60), make_context((24, 16), 1))
    picture = torch.zeros(1, 3, 16, 24)
    picture[:, 0, :, 12:] = 0.8
    with caplog.at_level(logging.INFO), torch.no_grad():
        made.encode(picture)
        left = float((made.forward(0) - picture).square().mean().sqrt()) * 255
    assert left < most
    assert f"off by {left:.1f} of 255" in caplog.text


@pytest.mark.parametrize("ahead", [False, True])
def test_a_run_that_ends_with_nan_leaves_the_last_shader(tmp_path, ahead):
    """On a GPU the step with NaN may have been made before the report of the one before is written."""
    made = Siren(SMALL[Siren], make_context((12, 8), 1))
    exporter = Glsl(GlslConfig(), Output(tmp_path, "", (12, 8), 1, 1, made))
    exporter.write(None)
    wanted = made.glsl(0)
    with torch.no_grad():
        made.latents()["weight0"].fill_(float("nan"))
    if ahead:
        exporter.write(None)
    exporter.close()
    assert (tmp_path / "shader.glsl").read_text() == wanted
