"""Numbers with which a run cannot compute are refused before it starts, wherever they stand."""

import pytest
from pydantic import ValidationError

from pixforge.contracts import Schedule
from pixforge.plugins.loader import load_plugins
from pixforge.plugins.registry import Registry
from pixforge.recipe import load_recipe


@pytest.mark.parametrize("number", [1e308, 1e-320])
def test_no_component_takes_what_float32_does_not(number):
    registry = Registry(load_plugins(installed=False))
    tried = 0
    for entry in (entry for kind in registry.kinds for entry in registry.entries(kind.name)):
        for name, field in entry.config_type.model_fields.items():
            if "float" not in str(field.annotation) and field.annotation is not Schedule:
                continue
            with pytest.raises(ValidationError) as caught:
                entry.config_type.model_validate({name: number, "image": "x.png"})
            problems = {each["loc"][:1]: each["msg"] for each in caught.value.errors()}
            assert (name,) in problems, f"{entry.tag}.{name} takes {number}"
            tried += 1
    assert tried > 50


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        ({"weight": -1, "stop": 1}, "with a negative weight, stop is a negative distance such as -1"),
        ({"weight": -1, "stop": 0}, "with a negative weight"),
        ({"weight": {0: -2, "50%": -1}, "stop": {0: -1, "50%": 2}}, "with a negative weight"),
        ({"stop": 5}, "stop is a distance from 0 to 4.9"),
        ({"stop": -0.5}, "stop is a distance from 0 to 4.9"),
    ],
)
def test_a_stop_that_always_or_never_holds_is_refused(prompt, message, complaint):
    import yaml

    text = yaml.safe_dump({"prompts": ["b", {"text": "a", **prompt}]})
    assert f"prompts[1]: {message}" in complaint(text)


@pytest.mark.parametrize(
    "prompt", [{"weight": -1, "stop": -1}, {"stop": 0.9}, {"weight": {0: 1, "50%": -1}, "stop": 0.5}]
)
def test_a_stop_that_holds_at_times_is_fine(prompt):
    assert load_recipe({"prompts": [{"text": "a", **prompt}]})
