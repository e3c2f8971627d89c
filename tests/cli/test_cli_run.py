import io
import json
import sys
from pathlib import Path

import pytest
from PIL import Image

import pixforge
import pixforge.runs
from pixforge.runs import Result


@pytest.fixture
def rendered(monkeypatch):
    """The recipes and options that would have been rendered, without doing so."""
    calls = []

    def render(recipe, out=None, *, progress=None):
        calls.append((recipe, out, progress))
        manifest = {
            "status": "finished",
            "seed": recipe.seed,
            "steps_done": 1 if recipe.seed == "stop" else recipe.steps,
            "timings": {"total": 1.5},
        }
        files = ["recipe.yaml", "image.png", "progress.mp4", "run.json"]
        if out == "with recording":
            files.insert(2, "progress.gif.recording.mp4")
        return Result(
            [],
            Path(out or "outputs/x-1"),
            {},
            manifest,
            files,
            interrupted=recipe.seed == "stop",
            recipe=recipe,
        )

    monkeypatch.setattr(pixforge.runs, "render", render)
    return calls


def test_a_recipe_becomes_a_picture_and_a_video(cli, work):
    status, out, err = cli("run", "red.yaml", "-o", "made", "--quiet")
    assert (status, err) == (0, "")
    assert out.split() == ["made/image.png", "made/progress.mp4"]
    with Image.open("made/image.png") as image:
        assert image.size == (32, 32)
    again = pixforge.load_recipe(work / "made" / "recipe.yaml")
    assert (again.seed, again.steps) == (3, 2)


def test_json_is_the_last_line(cli):
    status, out, _ = cli("run", "red.yaml", "-o", "made", "--json", "--steps", "1")
    assert status == 0
    summary = json.loads(out.splitlines()[-1])
    assert summary.pop("seconds") > 0
    assert "held_out_score" in summary
    del summary["held_out_score"]
    assert summary == {
        "folder": "made",
        "images": ["made/image.png"],
        "video": "made/progress.mp4",
        "status": "finished",
        "seed": 3,
        "steps": 1,
    }


def test_prompts_are_a_recipe(cli, rendered):
    assert cli("run", "-p", "a red heart", "-p", "on white", "--quiet")[0] == 0
    ((recipe, out, _),) = rendered
    assert [prompt.text for prompt in recipe.prompts] == ["a red heart", "on white"]
    assert (recipe.origin.name, out) == ("a-red-heart", None)


def test_prompts_replace_those_of_a_recipe(cli, rendered):
    cli("run", "red.yaml", "-p", "blue")
    assert [prompt.text for prompt in rendered[0][0].prompts] == ["blue"]
    assert rendered[0][0].steps == 2


def test_options_change_the_recipe(cli, rendered):
    status, _, err = cli(
        "run", "red.yaml", "--set", "generator.type=pixels", "--set", "losses=[{type: range, weight: 2}]",
        "--steps", "5", "--seed", "a word", "--size", "64x48", "--device", "cpu", "-o", "there",
    )  # fmt: skip
    assert (status, err) == (0, "")
    ((recipe, out, _),) = rendered
    assert (recipe.generator.type, recipe.losses[0].weight.constant) == ("pixels", 2)
    assert (recipe.steps, recipe.seed, recipe.size, recipe.device) == (5, "a word", (64, 48), "cpu")
    assert out == "there"


def test_every_file_of_an_exporter_is_listed(cli, rendered, monkeypatch):
    made = Result(
        [], Path("x"), {}, {}, ["recipe.yaml", "drawing.svg", "metrics.csv", "progress.mp4", "run.json"]
    )
    monkeypatch.setattr(pixforge.runs, "render", lambda *_, **__: made)
    assert cli("run", "red.yaml") == (0, "x/drawing.svg\nx/progress.mp4\n", "")


@pytest.mark.parametrize(
    ("prompt", "name"),
    [
        ("a red heart", "a-red-heart"),
        ("Ein großes Schloß!", "ein-großes-schloß"),
        ("../../etc/passwd", "etc-passwd"),
        ("\x1b[31m", "31m"),
        ("?!", "prompt"),
        ("one two three four five six seven eight nine ten", "one-two-three-four-five-six-seven-eight"),
        (200 * "x", 40 * "x"),
    ],
)
def test_a_folder_is_called_after_the_prompt(prompt, name, cli, rendered):
    assert cli("run", "-p", prompt)[0] == 0
    assert rendered[0][0].origin.name == name


def test_a_numeric_seed_is_a_number(cli, rendered):
    cli("run", "red.yaml", "--seed", "-7")
    assert rendered[0][0].seed == -7


def test_quiet_shows_no_progress(cli, rendered):
    cli("run", "red.yaml", "--quiet")
    cli("run", "red.yaml")
    quiet, loud = (type(progress) for _, _, progress in rendered)
    assert quiet is not loud


def test_standard_input(cli, rendered, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"prompts: [a cat]")))
    assert cli("run", "-")[0] == 0
    assert rendered[0][0].prompts[0].text == "a cat"


def test_an_interrupted_run_is_status_130_and_says_how_to_go_on(cli, rendered):
    command = ("run", "red.yaml", "--seed", "stop", "-o")
    made = "x/image.png\nx/progress.mp4\n"
    assert cli(*command, "x") == (130, made, "stopped after step 1 of 2; go on with: pixforge resume x\n")
    assert cli(*command, "x", "--quiet") == (130, made, "")
    _, out, err = cli(*command, "with recording")
    assert "recording" not in out.replace("with recording", "")
    assert err == (
        "stopped after step 1 of 2; go on with: pixforge resume 'with recording' "
        "(progress.gif.recording.mp4 is what its video needs for that)\n"
    )


def test_what_a_component_warns_of_is_shown(work):
    from subprocess import run

    (work / "warns.py").write_text((work / "mean.py").read_text().replace(
        "        return torch.tensor", "        import logging\n\n        logging.getLogger('pixforge.mean').warning('half blind')\n        return torch.tensor"
    ))  # fmt: skip
    command = [sys.executable, "-m", "pixforge", "run", "red.yaml", "--set", "plugins=[warns.py]"]
    done = run(
        [*command, "--no-plugin-files", "--steps", "1"], cwd=work, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("half blind") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), 'what should be made? Name a recipe, or give a prompt: pixforge run -p "a sunflower"'),
        (("-p", ""), "--prompt: the value is empty"),
        (
            ("a red heart",),
            "there is no recipe 'a red heart'; for a picture of these words: pixforge run -p 'a red heart'\n",
        ),
        (("heart",), "there is no recipe 'heart'; for a picture of these words: pixforge run -p heart\n"),
        (
            (9 * "long words. ",),
            "there is no recipe 'long words. long words. long words. long words. long word...'",
        ),
        (("none.yaml",), "none.yaml: there is no such file\n"),
        (("-p", " "), "recipe: prompts[0]: the text is empty; say what the picture should show"),
        (("red.yaml", "--steps", "many"), "--steps many: steps: must be a whole number, not 'many'"),
        (("red.yaml", "--size", "0x64"), "--size 0x64: size: width and height go from 16 to 8192"),
        (("red.yaml", "--size", "8x64"), "--size 8x64: size: width and height go from 16 to 8192 pixels"),
        (("red.yaml", "--device", "gpu"), "--device gpu: device: a device is auto, cpu, cuda, cuda:N or mps"),
        (
            ("red.yaml", "--set", "sead=1"),
            "--set sead=1: sead: a recipe has no field 'sead'. Did you mean 'seed'?",
        ),
        (("red.yaml", "--set", "x"), "--set x: write path=value, such as losses.0.weight=2"),
        (("red.yaml", "--disable-plugin", "none"), "cannot disable 'none': no plugin has this name"),
        (
            ("red.yaml", "--disable-plugin", "mean"),
            "red.yaml:6: perceptors[0].type: unknown perceptor 'mean'",
        ),
    ],
)
def test_input_at_fault(arguments, message, cli, rendered):
    status, out, err = cli("run", *arguments)
    assert (status, out) == (2, "")
    assert err.startswith(f"pixforge: {message}")
    assert not rendered
