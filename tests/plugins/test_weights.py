"""Components with weights of their own, written with the public API alone: how many lines, and what a user notices."""

import ast
import math
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

import pixforge
from pixforge.cli.main import main
from pixforge.engine.memory import estimate
from pixforge.plugins.loader import load_plugins
from pixforge.plugins.registry import Registry
from pixforge.testing import check_component, check_model, make_context

PLUGIN = Path(__file__).parents[2] / "plugins" / "cosines.py"
LOSS = '''
from typing import Literal
import pixforge

class EdgesConfig(pixforge.LossConfig):
    """It has no options."""
    type: Literal["edges"] = "edges"

class Edges(pixforge.Loss[EdgesConfig]):
    """What a published network sees in the picture should be little."""
    def __init__(self, config, context):
        super().__init__(config, context)
        self._files = context.model_files("edges", "loss")
        self._weight = self._files.tensors()["weight"].to(context.device)
    def forward(self, view):
        from torch.nn.functional import conv2d
        seen = self.context.chunked(lambda part: conv2d(part, self._weight).square().mean(dim=(1, 2, 3)), view.image)
        return seen
    def provenance(self):
        return self._files.provenance()

@pixforge.hookimpl
def pixforge_losses():
    return [Edges]
@pixforge.hookimpl
def pixforge_models():
    return [pixforge.Model(name="edges", kind="loss", files=(pixforge.ModelFile("edges.safetensors"),))]
'''


def lines(code: str) -> int:
    """Lines of code without docstrings, comments and blank lines."""
    return len(ast.unparse(_without_docs(ast.parse(code))).replace("\n\n", "\n").splitlines())


def _without_docs(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if (
            isinstance(body, list)
            and body
            and isinstance(body[0], ast.Expr)
            and isinstance(body[0].value, ast.Constant)
        ):
            node.body = body[1:] or [ast.Pass()]
    return tree


def write_cosines(folder: Path) -> None:
    place = torch.arange(8, dtype=torch.float64)
    waves = torch.cos(math.pi / 8 * (place + 0.5) * place[:, None])
    plane = torch.einsum("iy,jx->ijyx", waves, waves).reshape(64, 1, 8, 8)
    colors = torch.eye(3, dtype=torch.float64).view(3, 1, 3, 1, 1)
    save_file({"basis": torch.cat(list(plane * colors)).half()}, folder / "cosines.safetensors")


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("PIXFORGE_MODELS", str(tmp_path / "store"))
    (tmp_path / "own").mkdir()
    return tmp_path / "store"


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "recipe.yaml"
    path.write_text(
        f"prompts: [a red heart]\ngenerator: cosines\nplugins: [{PLUGIN}]\nsteps: 1\nsize: 32\nseed: 1\n"
    )
    return path


def test_a_generator_with_published_weights_is_short(store, tmp_path, recipe, capsys):
    assert lines(PLUGIN.read_text()) <= 60
    write_cosines(tmp_path / "own")
    assert main(["models", "--plugin", str(PLUGIN)]) == 0
    assert "8 x 8 cosines" in capsys.readouterr().out
    assert main(["check", str(recipe)]) == 0
    assert main(["run", str(recipe), "-o", str(tmp_path / "run"), "--quiet"]) == 2
    assert f"`pixforge models fetch cosines --plugin {PLUGIN}`" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
    assert main(["models", "fetch", "cosines", "--plugin", str(PLUGIN), "--from", str(tmp_path / "own")]) == 0
    assert main(["models", "verify", "cosines", "--plugin", str(PLUGIN)]) == 0
    assert "decoder:cosines: as published" in capsys.readouterr().out
    result = pixforge.render(pixforge.load_recipe(recipe), tmp_path / "run")
    assert result.manifest["generator"]["sha256"].startswith("b4c93aa0")


def test_check_refuses_a_decoder_that_nobody_knows(recipe):
    with pytest.raises(
        pixforge.PixforgeError, match=r"generator\.model: unknown decoder model 'cosine'.*'cosines'"
    ):
        pixforge.load_recipe(recipe, {"generator.model": "cosine"})


def test_the_example_keeps_the_contract(store, tmp_path):
    write_cosines(tmp_path / "own")
    registry = Registry(load_plugins(installed=False, files=[PLUGIN]))
    model = registry.catalog.get("cosines", "decoder")
    check_model(model, tmp_path / "own")
    folder = store / "decoder" / "cosines"
    folder.mkdir(parents=True)
    write_cosines(folder)
    entry = registry.get("generator", "cosines")
    check_component(entry.component, make_context(models=[model]))


def test_a_loss_with_a_network_of_its_own_is_short(store, tmp_path):
    assert lines(LOSS) <= 25
    (tmp_path / "edges.py").write_text(LOSS)
    (store / "loss" / "edges").mkdir(parents=True)
    weight = torch.randn(256, 3, 5, 5, generator=torch.Generator().manual_seed(0))
    save_file({"weight": weight}, store / "loss" / "edges" / "edges.safetensors")
    fields = {
        "prompts": ["a red heart"],
        "steps": 1,
        "size": 256,
        "seed": 1,
        "generator": "pixels",
        "init": "noise",
    }
    plain = pixforge.load_recipe(fields)
    with_loss = pixforge.load_recipe({**fields, "plugins": [str(tmp_path / "edges.py")], "losses": ["edges"]})
    # 256 channels of 252 x 252 pixels in float32, which the estimate knows of.
    assert estimate(with_loss).step > estimate(plain).step + 256 * 252 * 252 * 4 / 2
    (report,) = pixforge.optimize(with_loss)
    assert report.losses["edges"] > 0


@pytest.mark.parametrize(
    ("change", "message"),
    [({"note": ""}, "needs a note"), ({"source": None}, "needs a source"), ({"files": ()}, "has no files"),
     ({"files": (pixforge.ModelFile("a.pt"),)}, "needs an address"), ({"kind": "A"}, "one lower-case word")],
)  # fmt: skip
def test_the_check_says_what_a_declaration_lacks(change, message):
    file = pixforge.ModelFile("a.pt", urls=("https://example.org/a.pt",))
    fields = {"name": "a", "kind": "prior", "files": (file,), "note": "a", "source": "https://example.org"}
    check_model(pixforge.Model(**fields))
    with pytest.raises(AssertionError, match=message):
        check_model(pixforge.Model(**{**fields, **change}))


def test_the_check_compares_the_files(tmp_path):
    (tmp_path / "a.pt").write_bytes(b"abc")
    urls = ("https://example.org/a.pt",)
    for wrong, message in (
        ({"size": 4}, "size of a.pt should be 3"),
        ({"sha256": "0" * 64}, "sha256 of a.pt should"),
    ):
        file = pixforge.ModelFile("a.pt", urls, **wrong)
        model = pixforge.Model(name="a", kind="prior", files=(file,), note="a", source="https://example.org")
        with pytest.raises(AssertionError, match=message):
            check_model(model, tmp_path)
