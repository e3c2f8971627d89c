"""Any input either works or raises a RecipeError (or a PluginError, if it names plugins)."""

import copy
import io
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixforge.errors import InputError, PluginError, RecipeError
from pixforge.plugins.kinds import KINDS
from pixforge.recipe import load_recipe

VALID = {
    "version": 1,
    "seed": 7,
    "size": [64, 64],
    "steps": 3,
    "prompts": ["a", {"text": "b", "weight": {0: 1, "50%": -1, "ease": "step"}}],
    "generator": {"type": "fourier", "decay": 1.5},
    "init": "noise",
    "perceptors": [{"type": "open_clip", "model": "embedded", "weight": 1}],
    "losses": [{"type": "smoothness", "weight": 0.05}, "range"],
    "augmentations": ["color"],
    "optimizer": {"type": "adam", "betas": [0.9, 0.99]},
    "exporters": ["still", {"type": "video", "seconds": 2}],
}
FIELDS = [
    *VALID,
    *(kind.field for kind in KINDS if kind.field),
    "requires",
    "plugins",
    "device",
    "precision",
    "canvases",
    "text",
    "image",
    "type",
]
WORDS = [
    "fourier",
    "image",
    "noise",
    "a.png",
    "50%",
    "0",
    "ease",
    "cosine",
    "-",
    "",
    "\0",
    "\ud800",
    "1e999",
    "~",
]
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(WORDS)
)
KEYS = st.sampled_from([*FIELDS, *WORDS]) | st.text(max_size=4) | st.integers(-2, 300)
DATA = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
YAMLISH = st.lists(
    st.sampled_from([*FIELDS, *WORDS[:8], ": ", "\n", "\n  ", "- ", "{", "}", "[", "]", ", ", "&a ", "*a ", "!!int ",
                     "!x ", "'", '"', "# ", "|", ">", "? ", "---\n", "...", "%", "\t", "\\", "0x", ".inf", "\x85"]),
    max_size=25,
).map("".join)  # fmt: skip

fuzz = settings(deadline=None, max_examples=80)


def try_loading(source, **options):
    """Loading either gives an error with a message, or a recipe that can be resolved."""
    said = ""
    try:
        said = load_recipe(source, **options).resolved_yaml()
    except RecipeError as error:
        said = str(error)
    except PluginError as error:
        said = str(error) if source["plugins"] else ""
    assert said.strip()
    said.encode()


def try_reading(content, name, folder):
    path = folder / name
    path.write_bytes(content)
    said = ""
    try:
        said = load_recipe(path).resolved_yaml()
    except InputError as error:
        said = str(error)
    assert said.strip()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz")


@pytest.mark.parametrize("name", ["r.yaml", "r.toml", "r.json", "r.png"])
@fuzz
@given(content=st.binary(max_size=60))
def test_arbitrary_bytes(content, name, folder):
    try_reading(content, name, folder)


@fuzz
@given(text=YAMLISH)
def test_arbitrary_yaml(text, folder):
    try_reading(text.encode(), "r.yaml", folder)


@fuzz
@given(text=YAMLISH)
def test_standard_input(text):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        try_loading("-")


@fuzz
@given(data=st.dictionaries(KEYS, DATA, max_size=6))
def test_arbitrary_structures(data):
    try_loading({"prompts": ["a"], **data})


def _places(value, where=()):
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [where, *(place for key, each in pairs for place in _places(each, (*where, key)))]


@fuzz
@given(place=st.sampled_from(_places(VALID)[1:]), value=DATA)
def test_a_valid_recipe_with_one_value_changed(place, value):
    data = copy.deepcopy(VALID)
    holder = data
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] = value
    try_loading(data)


@fuzz
@given(
    path=st.text("abc.0[]1%", max_size=8) | st.sampled_from(["losses.0.weight", "generator.type", "x"]),
    value=DATA,
)
def test_arbitrary_overrides(path, value):
    try_loading(VALID, overrides={path: value})
