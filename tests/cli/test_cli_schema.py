import json

from pixforge.recipe.schema import schema_text


def test_standard_output(cli):
    status, out, err = cli("schema")
    assert (status, err) == (0, "")
    assert json.loads(out)["properties"]["prompts"]


def test_a_file(cli, work):
    assert cli("schema", "--builtin", "-o", "s.json") == (0, "", "")
    assert (work / "s.json").read_text(encoding="utf-8") == schema_text(builtin=True)


def test_a_file_that_cannot_be_written(cli):
    status, out, err = cli("schema", "-o", "no/such/folder/s.json")
    assert (status, out) == (2, "")
    assert err == "pixforge: no/such/folder/s.json: cannot be written (No such file or directory)\n"
