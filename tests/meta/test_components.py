"""Every component that ships passes the checks that `pixforge.testing` has for plugin authors."""

import pytest

from pixforge.contracts import Perceptor
from pixforge.plugins.loader import load_plugins
from pixforge.plugins.registry import Registry
from pixforge.testing import FakePerceptor, check_component, check_documentation

# Their own tests check them, with what they need: a picture, a run's folder, a generator that has codes.
ODD = {
    ("init", "image"),
    ("init", "run"),
    ("init", "codes"),
    ("init", "tokens"),
    ("loss", "aesthetic"),
    ("loss", "network"),
}
ODD |= {("prompt", "embedding"), ("prompt", "direction")}
ODD |= {("edit", "video"), ("loss", "palette_hdr"), ("loss", "palette_normalization")}
ODD |= {("optimizer", "adamp"), ("optimizer", "prodigy"), ("executor", "ray")}
# What cannot be guessed.
FIELDS = {
    ("curve", "during"): {"during": [2, 8]},
    ("edit", "travel"): {"stops": [1, 2]},
    ("prompt", "travel"): {"travel": ["red", "blue"]},
}
ENTRIES = Registry(load_plugins()).entries()


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: f"{entry.kind}:{entry.tag}")
def test_documentation(entry):
    check_documentation(entry.component)


@pytest.mark.parametrize(
    "entry",
    [
        entry
        for entry in ENTRIES
        if not issubclass(entry.component, Perceptor) and (entry.kind, entry.tag) not in ODD
    ],
    ids=lambda entry: f"{entry.kind}:{entry.tag}",
)
def test_contract(entry):
    check_component(entry.component, **FIELDS.get((entry.kind, entry.tag), {}))


@pytest.mark.parametrize("model", ["embedded", "judge"])
def test_embedded_perceptors(model):
    entry = next(entry for entry in ENTRIES if entry.tag == "open_clip")
    check_component(entry.component, model=model)


def test_the_fake_perceptor_keeps_the_contract_too():
    check_component(FakePerceptor)


def test_all_that_is_promised_is_there():
    promised = {
        "generator": {"fourier", "pixels"},
        "perceptor": {"open_clip"},
        "loss": {"range", "saturation", "smoothness", "symmetry"},
        "augmentation": {"affine", "color", "erasing", "flip", "noise", "perspective"},
        "exporter": {"still", "video"},
        "init": {"image", "noise"},
    }
    for kind, tags in promised.items():
        assert tags <= {entry.tag for entry in ENTRIES if entry.kind == kind}
