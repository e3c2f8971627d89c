import sys

import pytest
from plugin_helpers import LOSS, install


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    sys.modules.pop("dark_module", None)


def test_the_table_has_everything(cli):
    status, out, _ = cli("plugins")
    assert status == 0
    assert (
        "generators  (pixforge.builtin.generators)\n  hooks: pixforge_generators\n  generator: fourier, palette, pixels, vqgan, wavelet\n"
        in out
    )
    assert "augmentation: affine, " in out


def test_distributions_are_shown_with_their_version(cli, site):
    install(site, "dark", LOSS.format(tag="dark"))
    assert (
        "dark  (pixforge-test 0.3, dark_module)\n  hooks: pixforge_losses\n  loss: dark\n"
        in cli("plugins")[1]
    )


def test_broken_ones_come_last_with_their_cause(cli, site):
    install(site, "dark", "1 / 0")
    status, out, _ = cli("plugins")
    assert status == 0
    assert out.endswith(
        "dark  BROKEN\n  plugin 'dark' (pixforge-test 0.3) failed in load: ZeroDivisionError: division by zero\n"
    )
    assert cli("plugins", "dark")[1].startswith("dark  BROKEN\n")


def test_disabled_ones_are_shown(cli):
    out = cli("plugins", "--disable-plugin", "losses")[1]
    assert "losses\n  disabled\n" in out or out.endswith("losses\n  disabled\n")
    assert "smoothness" not in out


def test_a_component_with_its_fields(cli, site):
    install(site, "dark", LOSS.format(tag="dark"))
    out = cli("plugins", "dark")[1]
    assert (
        "loss 'dark' of plugin 'dark' (pixforge-test 0.3)\n  Likes it dark.\n  weight: schedule of: number"
        in out
    )
    assert (
        "  where: region (default none)\n      The part of the picture that it looks at and changes.\n" in out
    )


def test_bounds_and_choices(cli):
    out = cli("plugins", "still")[1]
    assert "  format: png | jpeg | webp (default png)\n" in out
    assert "  quality: whole number, at least 1, at most 100 (default none)\n" in out
    assert "  metadata: recipe | none" in out


def test_required_fields(cli):
    assert "  image: text (required)\n" in cli("plugins", "init:image")[1]


def test_a_word_of_two_kinds_shows_both(cli):
    out = cli("plugins", "noise")[1]
    assert "augmentation 'noise' of " in out
    assert "init 'noise' of " in out
    assert "augmentation" not in cli("plugins", "init:noise")[1]


def test_a_plugin_by_its_name(cli):
    assert cli("plugins", "losses")[1].startswith("losses  (pixforge.builtin.losses)\n")


def test_nothing_of_that_name(cli):
    status, out, err = cli("plugins", "forier")
    assert (status, out) == (2, "")
    assert err.startswith(
        "pixforge: no plugin or component is called 'forier'. Did you mean 'fourier'? (known: "
    )
