"""Names of perceptors and losses in reports: each once, and plain where it can be."""

from types import SimpleNamespace

import pytest

from pixforge.engine.components import perceptor_names, unique_names


@pytest.mark.parametrize(
    ("plain", "names"),
    [
        (["a", "a", "a"], ["a", "a-2", "a-3"]),
        (["RN50-quickgelu", "RN50"], ["RN50-quickgelu", "RN50"]),
        (["clip-2", "clip", "clip"], ["clip-2", "clip", "clip-3"]),
        (["clip", "clip", "clip-2"], ["clip", "clip-2", "clip-2-2"]),
    ],
)
def test_every_name_is_given_once(plain, names):
    assert unique_names(plain) == names


def test_a_perceptor_is_called_after_its_model_without_the_way_to_it():
    models = ["local-dir:a/clip-2", "local-dir:b/clip", "local-dir:c/clip", None]
    configs = [SimpleNamespace(type="open_clip", model=model) for model in models]
    assert perceptor_names(configs) == [
        "local-dir:clip-2",
        "local-dir:clip",
        "local-dir:clip-3",
        "open_clip",
    ]
