import json
import re
from pathlib import Path

import pytest

import pixforge.recipe
from pixforge.recipe.schema import schema_text

COMMITTED = Path(pixforge.recipe.__file__).with_name("recipe.schema.json")


@pytest.fixture(scope="module")
def schema():
    return json.loads(schema_text(builtin=True))


def accepts(shape, value, root):
    """A JSON Schema validator for what our schema uses, so that no dependency is needed for it."""
    shape = {**shape, **_target(shape, root)}
    if "anyOf" in shape and not any(accepts(choice, value, root) for choice in shape["anyOf"]):
        return False
    if "oneOf" in shape and sum(accepts(choice, value, root) for choice in shape["oneOf"]) != 1:
        return False
    if "const" in shape and value != shape["const"]:
        return False
    if "enum" in shape and value not in shape["enum"]:
        return False
    if "type" in shape and not _is(shape["type"], value):
        return False
    return _bounded(shape, value) and _inside(shape, value, root)


def _target(shape, root):
    return root["$defs"][shape["$ref"].rsplit("/", 1)[-1]] if "$ref" in shape else {}


def _is(kind, value):
    if isinstance(value, bool):
        return kind == "boolean"
    kinds = {
        "object": dict,
        "array": list,
        "string": str,
        "integer": int,
        "number": (int, float),
        "null": type(None),
    }
    return kind in kinds and isinstance(value, kinds[kind])


def _bounded(shape, value):
    if isinstance(value, str):
        return re.search(shape.get("pattern", ""), value) is not None and len(value) >= shape.get(
            "minLength", 0
        )
    if isinstance(value, list):
        return shape.get("minItems", 0) <= len(value) <= shape.get("maxItems", len(value))
    if isinstance(value, int | float):
        low, high = shape.get("minimum", value), shape.get("maximum", value)
        above, below = shape.get("exclusiveMinimum", value - 1), shape.get("exclusiveMaximum", value + 1)
        return low <= value <= high and above < value < below
    return True


def _inside(shape, value, root):
    if isinstance(value, list):
        return all(accepts(shape.get("items", {}), each, root) for each in value)
    if not isinstance(value, dict):
        return True
    known = shape.get("properties", {})
    if any(name not in value for name in shape.get("required", [])):
        return False
    for name, each in value.items():
        patterns = [
            inner for pattern, inner in shape.get("patternProperties", {}).items() if re.search(pattern, name)
        ]
        shapes = [known[name]] if name in known else patterns
        if not shapes and shape.get("additionalProperties") is False:
            return False
        if not all(accepts(inner, each, root) for inner in shapes):
            return False
    return True


def test_the_committed_schema_is_current():
    assert COMMITTED.read_text(encoding="utf-8") == schema_text(builtin=True), (
        "run: pixforge schema --builtin -o pixforge/recipe/recipe.schema.json"
    )


GOOD = [
    {"prompts": ["a"]},
    {"prompts": "a"},
    {"prompts": ["a", {"text": "b", "weight": {"0": 1, "50%": 0.2, "ease": "cosine"}}, {"image": "c.png"}]},
    {
        "prompts": ["a"],
        "generator": "fourier",
        "init": "start.png",
        "losses": ["range", {"type": "smoothness", "weight": 2}],
    },
    {
        "prompts": ["a"],
        "size": 64,
        "seed": "text",
        "optimizer": {"type": "adam", "betas": [0, 0.5]},
        "device": "cuda:1",
    },
    {
        "prompts": ["a"],
        "size": "64x32",
        "seed": 7,
        "cutouts": {"type": "random"},
        "exporters": [],
        "optimizer": "sgd",
    },
    {
        "prompts": ["a"],
        "optimizer": {"learning_rate": 0.03},
        "cutouts": {"count": 12},
        "init": {"candidates": 4},
        "generator": {"ema": 0.5},
        "exporters": [{"seconds": 4}],
        "augmentations": [{"degrees": 5}],
        "perceptors": [{"model": "embedded"}],
    },
    {"prompts": ["a"], "init": "noise", "generator": {"alpha": True}},
]
BAD = [
    {},
    {"prompts": []},
    {"prompts": [{"text": "a", "image": "b.png"}]},
    {"prompts": [{"weight": 1}]},
    {"prompts": [7]},
    {"prompts": ["a"], "lossses": []},
    {"prompts": ["a"], "losses": ["symetry"]},
    {"prompts": ["a"], "losses": [{"weight": 1}]},
    {"prompts": ["a"], "losses": [{"type": "range", "wait": 1}]},
    {"prompts": ["a"], "exporters": [{"quality": 50}]},
    {"prompts": ["a"], "optimizer": {}},
    {"prompts": ["a"], "filters": [{"x": 1}]},
    {"prompts": ["a"], "losses": [{"type": "range", "weight": {"half": 1}}]},
    {"prompts": ["a"], "generator": {"type": "fourier", "decay": -1}},
    {"prompts": ["a"], "size": 0},
    {"prompts": ["a"], "device": "gpu"},
    {"prompts": ["a"], "optimizer": {"type": "adam", "momentum": 1}},
]


@pytest.mark.parametrize("recipe", GOOD)
def test_good_recipes(recipe, schema, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("c.png", "start.png"):
        (tmp_path / name).touch()
    pixforge.recipe.load_recipe(recipe)
    assert accepts(schema, recipe, schema)


@pytest.mark.parametrize("recipe", BAD)
def test_bad_recipes(recipe, schema):
    with pytest.raises(pixforge.PixforgeError):
        pixforge.load_recipe(recipe)
    assert not accepts(schema, recipe, schema)


def test_editors_have_something_to_say(schema):
    assert all(field.get("description") for field in schema["properties"].values())
    words = {
        choice["const"]: choice["description"] for choice in schema["properties"]["generator"]["anyOf"][:-1]
    }
    assert words["fourier"].startswith("A decorrelated Fourier spectrum")
    for definition in schema["$defs"].values():
        for name, field in definition.get("properties", {}).items():
            assert name == "type" or field.get("description"), f"{definition.get('title')}.{name}"
