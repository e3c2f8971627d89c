from known_words import known


def test_good_recipes(cli, work):
    (work / "other.json").write_text('{"prompts": ["a"]}')
    assert cli("check", "red.yaml", "other.json") == (0, "red.yaml: ok\nother.json: ok\n", "")


def test_a_bad_recipe_does_not_hide_the_others(cli, work):
    (work / "bad.yaml").write_text("prompts: [a]\nlosses: [symetry]\nsteps: -1\n")
    status, out, err = cli("check", "bad.yaml", "red.yaml", "gone.yaml")
    assert (status, out) == (2, "red.yaml: ok\n")
    assert err.splitlines() == [
        (f"bad.yaml:2: losses[0].type: unknown loss 'symetry'. Did you mean 'symmetry'? {known('loss')}"),
        "bad.yaml:3: steps: must be greater than or equal to 0, not -1",
        "gone.yaml: there is no such file",
    ]


def test_nothing_is_written(cli, work):
    before = sorted(work.iterdir())
    cli("check", "red.yaml")
    assert [path for path in sorted(work.iterdir()) if path.name != "__pycache__"] == before


def test_a_broken_plugin_file(cli, work):
    (work / "mean.py").write_text("1 / 0")
    status, _, err = cli("check", "red.yaml")
    assert status == 2
    assert err == "plugin 'mean' (mean.py) failed in load: ZeroDivisionError: division by zero\n"


def test_a_recipe_is_checked_as_a_run_would_change_it(cli, work):
    assert cli("check", "red.yaml", "--quality", "draft", "--aspect", "16:9", "--scale", "2") == (
        0,
        "red.yaml: ok\n",
        "",
    )
    assert cli("check", "red.yaml", "--set", "steps=many")[0] == 2
    status, _, err = cli("check", "red.yaml", "--scale", "1e9")
    assert (status, err) == (2, "--scale 1e+09: a scale is above 0 and at most 8192, such as 2\n")
    assert cli("check", "red.yaml", "--size", "9x9")[0] == 2
