"""Single files are seen by `plugins` and `schema` before any recipe names them."""

import json

from plugin_helpers import LOSS


def test_a_file_is_shown_with_its_fields(cli, work):
    (work / "dark.py").write_text(LOSS.format(tag="dark"))
    status, out, _ = cli("plugins", "./dark.py")
    assert status == 0
    assert out.startswith("dark  (dark.py)\n  hooks: pixforge_losses\n  loss: dark\n")
    assert "  weight: schedule of: number (default 1.0)\n" in out


def test_the_schema_has_it(cli, work):
    (work / "dark.py").write_text(LOSS.format(tag="dark"))
    schema = json.loads(cli("schema", "--builtin", "--plugin", "dark.py")[1])
    without = json.loads(cli("schema", "--builtin")[1])
    assert "'dark'" in str(schema)
    assert "'dark'" not in str(without)


def test_a_file_that_does_not_work(cli, work):
    (work / "dark.py").write_text(LOSS.format(tag="dark").replace("LossConfig)", "pixforge.Config)"))
    (work / "none.py").write_text("x = 1")
    for command in (["plugins", "dark.py"], ["schema", "--plugin", "dark.py"]):
        status, out, err = cli(*command)
        assert (status, out) == (2, "")
        assert err.startswith("pixforge: plugin 'dark' (dark.py) failed in pixforge_losses: TypeError: ")
    assert cli("plugins", "none.py")[2] == (
        "pixforge: none.py: no function is marked with @pixforge.hookimpl, so it registers nothing\n"
    )
    assert cli("plugins", "gone.py")[2].count("there is no file gone.py") == 1
