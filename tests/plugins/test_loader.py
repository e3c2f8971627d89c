import sys

import pytest
from plugin_helpers import LOSS, install

from pixforge import hookimpl, load_recipe
from pixforge.errors import PluginError, RecipeError
from pixforge.plugins.loader import BUILTINS, load_plugins
from pixforge.plugins.registry import Registry


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A folder for distributions; their modules are forgotten afterwards."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.endswith("_module"):
            del sys.modules[name]


def test_built_ins_come_through_the_same_hooks():
    plugins = load_plugins()
    assert [plugins.infos[name].source for name in plugins.names()][: len(BUILTINS)] == list(BUILTINS)
    assert plugins.hooks_of("losses") == ["pixforge_losses"]
    assert not plugins.failures


def test_a_built_in_that_cannot_be_registered_is_fatal_and_says_why(monkeypatch):
    def register(manager, module, name):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("pluggy.PluginManager.register", register)
    with pytest.raises(
        PluginError, match=r"'generators' .* failed in register: RuntimeError: can't start new"
    ):
        load_plugins()


def test_a_built_in_whose_hook_fails_is_fatal_and_says_why(monkeypatch):
    plugins = load_plugins()
    monkeypatch.setattr("pixforge.plugins.registry._entry", lambda *_: int("x"))
    with pytest.raises(
        PluginError, match=r"'generators' .* failed in pixforge_generators: ValueError: invalid"
    ):
        Registry(plugins)


def test_a_distribution_is_found_by_its_entry_point(site):
    install(site, "dark", LOSS.format(tag="dark"))
    recipe = load_recipe({"prompts": ["a"], "losses": ["dark"], "requires": ["pixforge-test>=0.3"]})
    plugin = recipe.origin.registry.of(recipe.losses[0], "loss").plugin
    assert str(plugin) == "plugin 'dark' (pixforge-test 0.3)"


def test_its_fields_are_reported_with_its_distribution(site):
    install(site, "dark", LOSS.format(tag="dark"))
    with pytest.raises(RecipeError) as caught:
        load_recipe({"prompts": ["a"], "losses": [{"type": "dark", "wait": 1}]})
    assert str(caught.value) == (
        "recipe: losses[0].wait: loss 'dark' of plugin 'dark' (pixforge-test 0.3) has no field 'wait'. "
        "Did you mean 'weight'? (fields: stop, type, weight, where)"
    )


BROKEN = {
    "load": ("raise RuntimeError('no luck')", "load: RuntimeError: no luck"),
    "syntax": ("def", "load: SyntaxError: "),
    "import": ("import not_here_at_all", "load: ModuleNotFoundError: No module named 'not_here_at_all'"),
    "misspelt hook": (
        "import pixforge\n@pixforge.hookimpl\ndef pixforge_loses(): return []",
        "register: there is no hook 'pixforge_loses'. Did you mean 'pixforge_losses'?",
    ),
    "wrong argument": (
        "import pixforge\n@pixforge.hookimpl\ndef pixforge_losses(recipe): return []",
        "register: PluginValidationError: ",
    ),
    "raising hook": (
        "import pixforge\n@pixforge.hookimpl\ndef pixforge_losses(): raise KeyError('x')",
        "pixforge_losses: KeyError: 'x'",
    ),
    "no list": (
        "import pixforge\n@pixforge.hookimpl\ndef pixforge_losses(): return 5",
        "pixforge_losses: TypeError: it must return a list of component classes",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_plugin_is_named_and_the_others_work(case, site):
    source, message = BROKEN[case]
    install(site, "dark", source)
    registry = Registry(load_plugins())
    (failure,) = registry.plugins.failures
    assert str(failure).startswith(f"plugin 'dark' (pixforge-test 0.3) failed in {message}")
    assert registry.get("generator", "fourier") is not None
    assert load_recipe({"prompts": ["a"]})


def test_it_is_fatal_when_the_recipe_requires_it(site):
    install(site, "dark", "1 / 0")
    with pytest.raises(PluginError) as caught:
        load_recipe({"prompts": ["a"], "requires": ["Pixforge_Test"]})
    assert "plugin 'dark' (pixforge-test 0.3) failed in load: ZeroDivisionError: division by zero" in str(
        caught.value
    )


def test_it_is_named_when_the_recipe_uses_an_unknown_type(site):
    install(site, "dark", "1 / 0")
    with pytest.raises(RecipeError) as caught:
        load_recipe({"prompts": ["a"], "losses": ["dark"]})
    assert str(caught.value).endswith(
        "; a plugin that might have it is broken: "
        "plugin 'dark' (pixforge-test 0.3) failed in load: ZeroDivisionError: division by zero"
    )


def test_a_disabled_plugin_is_not_even_imported(site):
    install(site, "dark", "1 / 0")
    plugins = load_plugins(disabled=["dark"])
    assert not plugins.failures
    assert "dark_module" not in sys.modules
    assert "dark" not in plugins.names()


def test_disabling_what_is_not_there_is_an_error():
    with pytest.raises(
        PluginError, match=r"cannot disable 'darkk': no plugin has this name \(known: augmentations, "
    ):
        load_plugins(disabled=["darkk"])


def test_a_tag_that_two_claim_names_both(site):
    install(site, "dark", LOSS.format(tag="range"))
    with pytest.raises(PluginError) as caught:
        Registry(load_plugins())
    assert str(caught.value) == (
        "two plugins have a loss 'range': plugin 'losses' (pixforge.builtin.losses) and "
        "plugin 'dark' (pixforge-test 0.3); leave one out with --disable-plugin"
    )
    assert Registry(load_plugins(disabled=["dark"])).get("loss", "range").plugin.name == "losses"


def test_a_name_that_two_claim_names_both(site):
    install(site, "losses", LOSS.format(tag="dark"))
    (failure,) = load_plugins().failures
    assert str(failure) == (
        "plugin 'losses' (pixforge-test 0.3) failed in register: ValueError: "
        "the name is taken by plugin 'losses' (pixforge.builtin.losses)"
    )


class Listener:
    def __init__(self, problem=None):
        self.heard = []
        self.problem = problem

    @hookimpl
    def pixforge_run_started(self, folder):
        self.heard.append(folder)
        if self.problem:
            raise self.problem


def listening(listener):
    from pixforge.plugins.loader import PluginInfo

    plugins = load_plugins()
    plugins.manager.register(listener, "listener")
    plugins.infos["listener"] = PluginInfo("listener", "a test")
    return plugins


def test_lifecycle_hooks_reach_every_plugin_once(tmp_path):
    listener = Listener()
    listening(listener).notify("pixforge_run_started", recipe=None, folder=tmp_path)
    assert listener.heard == [tmp_path]


def test_a_failing_lifecycle_hook_is_attributed(tmp_path):
    plugins = listening(Listener(OSError("gone")))
    with pytest.raises(
        PluginError, match=r"plugin 'listener' \(a test\) failed in pixforge_run_started: OSError: gone"
    ):
        plugins.notify("pixforge_run_started", recipe=None, folder=tmp_path)


def test_loading_twice_gives_two_worlds():
    assert load_plugins().manager is not load_plugins().manager


def test_a_plugin_that_ends_the_program_is_a_failed_plugin(site):
    install(site, "dark", "import sys\nsys.exit(0)")
    (failure,) = load_plugins().failures
    assert str(failure) == (
        "plugin 'dark' (pixforge-test 0.3) failed in load: SystemExit: 0; a plugin must not end the program"
    )


def test_a_file_that_ends_the_program_says_so(tmp_path):
    file = tmp_path / "exits.py"
    file.write_text("import sys\nsys.exit(0)")
    with pytest.raises(PluginError, match="failed in load: SystemExit: 0; a plugin must not end the program"):
        load_recipe({"prompts": ["a"], "plugins": [str(file)]})


def test_the_users_interruption_is_the_users(tmp_path):
    file = tmp_path / "interrupted.py"
    file.write_text("raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        load_plugins(files=[file], installed=False)


def test_a_misspelt_hook_gets_a_suggestion(tmp_path):
    file = tmp_path / "dark.py"
    file.write_text(LOSS.format(tag="dark").replace("def pixforge_losses", "def pixforge_loss"))
    with pytest.raises(
        PluginError, match=r"there is no hook 'pixforge_loss'. Did you mean 'pixforge_losses'\?"
    ):
        load_plugins(files=[file], installed=False)
