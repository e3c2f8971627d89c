from typing import Literal

import pytest
from pydantic import create_model

from pixforge import Config, Filter, Loss, LossConfig, hookimpl
from pixforge.plugins.kinds import KINDS, kind_named
from pixforge.plugins.loader import PluginInfo, load_plugins
from pixforge.plugins.registry import Registry
from pixforge.recipe.compose import compose


class DarkConfig(LossConfig):
    type: Literal["dark"] = "dark"


class Dark(Loss[DarkConfig]):
    """Likes it
    dark.

    More about it.
    """

    def forward(self, view):
        return view.image.mean(dim=(1, 2, 3))


class NoTagConfig(LossConfig):
    pass


class NoTag(Loss[NoTagConfig]):
    def forward(self, view):
        return view.image.mean(dim=(1, 2, 3))


class NoWeightConfig(Config):
    type: Literal["light"] = "light"


class NoWeight(Loss[NoWeightConfig]):
    def forward(self, view):
        return view.image.mean(dim=(1, 2, 3))


class NoForward(Loss[DarkConfig]):
    pass


class Stranger(Filter[DarkConfig]):
    def forward(self, images, draws, step):
        return images


def registry_with(*components):
    class Plugin:
        @hookimpl
        def pixforge_losses(self):
            return list(components)

    plugins = load_plugins()
    plugins.manager.register(Plugin(), "test")
    plugins.infos["test"] = PluginInfo("test", "a test")
    return Registry(plugins)


def test_a_component_is_found_by_its_word():
    entry = registry_with(Dark).get("loss", "dark")
    assert (entry.component, entry.config_type, entry.plugin.name) == (Dark, DarkConfig, "test")
    assert entry.doc == "Likes it dark."


def test_a_component_is_found_by_its_configuration():
    assert registry_with(Dark).of(DarkConfig(), "loss").component is Dark


def test_the_same_word_may_stand_for_two_kinds():
    registry = Registry(load_plugins())
    assert registry.get("init", "noise").component is not registry.get("augmentation", "noise").component


def test_entries_are_sorted_and_complete():
    registry = registry_with(Dark)
    tags = registry.tags("loss")
    assert tags == sorted(tags)
    assert {"dark", "range", "smoothness"} <= set(tags)
    assert {entry.kind for entry in registry.entries()} == {kind.name for kind in KINDS}
    assert registry.get("loss", "nothing") is None


@pytest.mark.parametrize(
    ("component", "message"),
    [
        (NoTag, "NoTagConfig of NoTag needs `type: Literal['tag'] = 'tag'`"),
        (NoWeight, "NoWeight must name its configuration: Loss[LossConfig]"),
        (NoForward, "NoForward lacks forward"),
        (Stranger, "is not a subclass of Loss"),
        (Dark(DarkConfig(), None), "is not a subclass of Loss"),
    ],
)
def test_a_malformed_component_fails_its_plugin_alone(component, message):
    registry = registry_with(component)
    (failure,) = registry.plugins.failures
    assert (failure.info.name, failure.stage) == ("test", "pixforge_losses")
    assert message in str(failure)
    assert registry.get("loss", "range") is not None


def test_one_malformed_component_takes_its_plugin_along():
    assert registry_with(Dark, NoTag).get("loss", "dark") is None


@pytest.mark.parametrize(
    ("hook", "kind", "tag"),
    [
        ("pixforge_generators", "generator", "fourier"),
        ("pixforge_perceptors", "perceptor", "open_clip"),
        ("pixforge_losses", "loss", "range"),
        ("pixforge_augmentations", "augmentation", "noise"),
        ("pixforge_cutouts", "cutouts", "random"),
        ("pixforge_filters", "filter", "roll"),
        ("pixforge_inits", "init", "noise"),
        ("pixforge_edits", "edit", "overlay"),
        ("pixforge_optimizers", "optimizer", "adam"),
        ("pixforge_exporters", "exporter", "still"),
    ],
)
def test_each_hook_brings_its_kind_into_the_recipe(hook, kind, tag):
    known = Registry(load_plugins()).get(kind, tag)
    config = create_model("MineConfig", __base__=known.config_type, type=(Literal["mine"], "mine"))
    component = type("Mine", (known.component,), {"config_type": config})
    plugin = type("Plugin", (), {hook: hookimpl(lambda _self: [component])})
    plugins = load_plugins()
    plugins.manager.register(plugin(), "test")
    plugins.infos["test"] = PluginInfo("test", "a test")
    registry = Registry(plugins)
    assert (registry.get(kind, "mine").component, plugins.failures) == (component, [])
    field = kind_named(kind).field
    one = {"type": "mine", **({"image": "a.png"} if tag == "overlay" else {})}
    value = [one] if kind_named(kind).many else one
    recipe = compose(registry).model_validate({"prompts": ["a"], field: value})
    assert "type='mine'" in repr(getattr(recipe, field))
