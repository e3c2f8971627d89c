"""`compile: true`: the networks are really compiled by torch.compile, and the gradient stays the same."""

import logging
import shutil

import pytest
import torch
from tiny_vqgan import content
from torch import nn
from torch._dynamo.utils import counters
from torch._inductor.graph import GraphLowering

import pixforge
from pixforge.builtin.generators.vqgan.load import build as build_vqgan
from pixforge.builtin.generators.vqgan.network_config import parse_config
from pixforge.contracts import RunContext
from pixforge.contracts.compiling import Compiled
from pixforge.engine.build import build
from pixforge.engine.step import backward

QUIET = {"prompts": ["a heart"], "seed": 1, "size": 32, "steps": 3, "cutouts": {"type": "random", "count": 3}}
needs_compiler = pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")


@pytest.fixture
def as_on_a_gpu(monkeypatch):
    """Compile as on a GPU, where also the modules with hand-written CPU versions are compiled."""
    monkeypatch.setattr(
        RunContext, "compiled", lambda self, function, **_: Compiled(function) if self.compile else function
    )


@needs_compiler
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the compiler, about itself
@pytest.mark.parametrize(("precision", "tolerance"), [("fp32", 1e-5), ("bf16", 0.03)])
def test_compiled_networks_give_the_same_gradient(as_on_a_gpu, tiny_folder, precision, tolerance):
    def gradient(**fields):
        group = {"type": "open_clip", "model": f"local-dir:{tiny_folder}"}
        session = build(
            pixforge.load_recipe({**QUIET, "precision": precision, "perceptors": [group], **fields})
        )
        for step in range(2):
            backward(session, session.generator.forward(step), step)
        (latent,) = session.generator.latents().values()
        return latent.grad

    plain = gradient()
    torch.compiler.reset()
    counters.clear()
    compiled = gradient(compile=True)
    assert counters["stats"]["unique_graphs"] >= 1
    assert (compiled - plain).norm() < tolerance * plain.norm()


@needs_compiler
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the compiler, about itself
@pytest.mark.parametrize(
    ("dtype", "checkpointing", "tolerance"),
    [(torch.float32, False, 1e-5), (torch.bfloat16, False, 0.03), (torch.bfloat16, True, 0.03)],
)
def test_a_compiled_decoder_gives_the_same_picture_and_gradient(dtype, checkpointing, tolerance):
    model = build_vqgan(parse_config(content(), "tiny")).eval().requires_grad_(requires_grad=False)
    generator = torch.Generator().manual_seed(0)
    for each in model.parameters():
        each.copy_(torch.randn(each.shape, generator=generator) / max(1, each[0].numel()) ** 0.5)
    for each in (model.decoder, model.post_quant_conv):
        each.to(dtype)
    start = torch.randn(1, 8, 4, 4, generator=generator)
    weights = torch.randn(1, 3, 16, 16, generator=generator)

    def result(decode):
        z = start.clone().requires_grad_()
        images = decode(z.to(dtype), checkpointing=checkpointing).float()
        (images * weights).sum().backward()
        return images.detach(), z.grad

    torch.compiler.reset()
    for plain, compiled in zip(result(model.decode), result(torch.compile(model.decode)), strict=True):
        assert (compiled - plain).norm() < tolerance * plain.norm()


def test_upsampling_is_the_same_when_it_is_traced(monkeypatch):
    model = build_vqgan(parse_config(content(), "tiny"))
    double = next(each for each in model.decoder.modules() if hasattr(each, "with_conv"))
    images = torch.randn(2, double.conv.in_channels, 3, 5, requires_grad=True)
    plain = double(images)
    monkeypatch.setattr(torch.compiler, "is_compiling", lambda: True)
    monkeypatch.setattr(nn.functional, "interpolate", None)
    traced = double(images)
    assert torch.equal(plain, traced)
    weights = torch.randn(plain.shape)
    first, second = (torch.autograd.grad(each, images, weights)[0] for each in (plain, traced))
    torch.testing.assert_close(first, second)


@pytest.mark.filterwarnings("ignore")  # of the compiler, about itself
def test_without_a_compiler_the_run_goes_on_with_a_warning(caplog, tmp_path, monkeypatch):
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    torch.compiler.reset()
    with (
        torch._inductor.config.patch({"cpp.cxx": (None, "no-such-compiler")}),
        caplog.at_level(logging.WARNING, logger="pixforge"),
    ):
        function = Compiled(lambda x: (x.sin() * 3).exp())
        values = [function(torch.ones(3)) for _ in range(2)]
    for value in values:
        torch.testing.assert_close(value, (torch.ones(3).sin() * 3).exp())
    told(caplog, "is compiled, which takes up to a minute", "compile: true does not work here")


def told(caplog, *parts):
    """Check that exactly these messages were logged, each on one line."""
    messages = [each.message for each in caplog.records if each.name.startswith("pixforge")]
    assert len(messages) == len(parts)
    for message, part in zip(messages, parts, strict=True):
        assert part in message
        assert "\n" not in message


def test_without_gradient_nothing_is_compiled(monkeypatch):
    """The picture before the first step needs a single call without gradient; compiling for it would not pay."""
    compiled = []
    monkeypatch.setattr(torch, "compile", lambda function, **_: compiled.append)
    function = Compiled(lambda x: x + 1)
    with torch.no_grad():
        assert function(1) == 2
    assert not compiled
    function(1)
    assert compiled == [1]


@pytest.mark.filterwarnings("ignore")  # of the compiler, about itself
def test_networks_that_are_written_out_for_a_cpu_stay_as_they_are_there(caplog):
    counters.clear()
    plain, compiled = (
        list(
            pixforge.optimize(
                pixforge.load_recipe({**QUIET, "init": "noise", "generator": "vqgan", **fields})
            )
        )
        for fields in ({}, {"compile": True})
    )
    assert not counters["stats"]["unique_graphs"]
    assert torch.equal(plain[-1].image, compiled[-1].image)
    told(caplog, "leaves CompactClip.encode_image as it is", "leaves VQGAN.decode as it is")


@pytest.fixture
def no_gradient_compiles(tmp_path, monkeypatch):
    """Make forward graphs compile and backward graphs fail; returns how many of each were tried."""
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    torch.compiler.reset()
    tried = {False: 0, True: 0}
    run = GraphLowering.run

    def refuse(self, *args):
        tried[bool(self.is_backward)] += 1
        if self.is_backward:
            raise NotImplementedError("no such gradient")
        return run(self, *args)

    monkeypatch.setattr(GraphLowering, "run", refuse)
    return tried


@needs_compiler
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the compiler, about itself
def test_a_gradient_that_cannot_be_compiled_ends_in_the_uncompiled_run(
    as_on_a_gpu, no_gradient_compiles, tiny_folder, caplog
):
    recipe = {
        **QUIET,
        "generator": "fourier",
        "perceptors": [{"type": "open_clip", "model": f"local-dir:{tiny_folder}"}],
    }
    plain, compiled = (
        list(pixforge.optimize(pixforge.load_recipe({**recipe, "compile": wish})))[-1].image
        for wish in (False, True)
    )
    assert no_gradient_compiles[False] >= 1
    assert no_gradient_compiles[True] == 1
    assert torch.equal(compiled, plain)
    told(caplog, "is compiled, which takes up to a minute", "compile: true does not work here")


def test_errors_of_the_function_itself_are_not_the_compilers(monkeypatch):
    monkeypatch.setattr(torch, "compile", lambda function, **_: function)
    with pytest.raises(ZeroDivisionError):
        Compiled(lambda x: x / 0)(1)
