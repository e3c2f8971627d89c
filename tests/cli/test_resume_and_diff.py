import json
import os
import sys
from pathlib import Path

import pytest
from PIL import Image

import pixforge


def test_resume_says_where_everything_is(cli, work):
    assert cli("run", "red.yaml", "-o", "made", "--quiet")[0] == 0
    status, out, err = cli("resume", "made", "--steps", "4", "--quiet")
    assert (status, err) == (0, "")
    assert out.split() == [str(work / "made-1" / name) for name in ("image.png", "progress.mp4")]
    status, out, _ = cli(
        "resume", "made", "--set", "losses=[]", "--steps", "3", "-o", "b", "--json", "--quiet"
    )
    assert status == 0
    found = json.loads(out.splitlines()[-1])
    assert (found["folder"], found["steps"], found["video"]) == ("b", 3, "b/progress.mp4")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("none",), "none: holds no run to go on with; `pixforge run` starts one"),
        (("made", "--steps", "x"), "--steps x: steps: must be a whole number"),
        (
            ("made", "--steps", "2", "--set", "losses=[]"),
            "made: the checkpoint is of step 2; a branch needs more",
        ),
    ],
)
def test_resume_with_input_at_fault(cli, arguments, message):
    cli("run", "red.yaml", "-o", "made", "--quiet")
    status, out, err = cli("resume", *arguments)
    assert (status, out) == (2, "")
    assert err.startswith(f"pixforge: {message}")


def test_diff_of_folders(cli):
    for name, steps in (("a", "2"), ("b", "2"), ("c", "3")):
        cli("run", "red.yaml", "-o", name, "--quiet", "--steps", steps)
    assert cli("diff", "a", "b") == (0, "no difference\n", "")
    status, out, _ = cli("diff", "a", "c")
    assert status == 1
    assert "recipe: steps: 2 -> 3\n" in out
    assert "run.json: steps_done: 2 -> 3\n" in out
    assert "image.png: " in out
    Path("c/progress.mp4").unlink()
    found = json.loads(cli("diff", "a", "c", "--json")[1])
    assert not found["same"]
    assert "progress.mp4: only in a" in found["differences"]


def test_diff_of_recipes(cli, work):
    (work / "blue.yaml").write_text((work / "red.yaml").read_text().replace("[red]", "[red, blue]"))
    status, out, _ = cli("diff", "red.yaml", "blue.yaml")
    assert status == 1
    assert out.startswith("recipe: prompts[1]: (none) -> {'text': 'blue'")
    assert out.count("\n") == 1
    cli("run", "red.yaml", "-o", "made", "--quiet")
    assert cli("diff", "made/image.png", "made/progress.mp4", "--trust-plugins")[0] == 0


def test_a_drawn_seed_is_no_difference(cli, work):
    (work / "a.yaml").write_text("prompts: [x]")
    (work / "b.yaml").write_text("{prompts: [x], steps: 60}")
    assert cli("diff", "a.yaml", "b.yaml") == (0, "no difference\n", "")


def test_diff_of_pictures(cli):
    Image.new("RGB", (10, 10)).save("a.png")
    image = Image.new("RGB", (10, 10))
    image.putpixel((0, 0), (30, 0, 0))
    image.save("b.png")
    Image.new("RGB", (10, 11)).save("c.png")
    assert cli("diff", "a.png", "b.png")[:2] == (
        1, "a.png and b.png: 1.0% of the pixels differ, by 0.10 of 255 on average and 30 at most\n",
    )  # fmt: skip
    assert cli("diff", "a.png", "c.png")[1] == "a.png and c.png: 10 x 10 -> 10 x 11 pixels\n"
    assert cli("diff", "a.png", "none.png")[0] == 2


def test_files_of_a_replayed_picture_are_checked(cli, work):
    Image.new("RGB", (10, 10), "red").save("prompt.png")
    text = (work / "red.yaml").read_text().replace("[red]", "[{image: prompt.png}]")
    (work / "picture.yaml").write_text(text)
    assert cli("run", "picture.yaml", "-o", "made", "--quiet")[0] == 0
    assert cli("run", "made/image.png", "--trust-plugins", "-o", "again", "--quiet")[0] == 0
    Image.new("RGB", (10, 10), "blue").save("prompt.png")
    for source in ("image.png", "progress.mp4", "recipe.yaml"):
        status, _, err = cli("run", f"made/{source}", "--trust-plugins", "-o", "other", "--quiet")
        assert status == 2
        assert "prompts[0].image: ../prompt.png is not the file that the recipe was made with" in err
    assert (
        cli("run", "made/image.png", "--trust-plugins", "-o", "other", "--quiet", "--set", "files={}")[0] == 0
    )
    (work / "prompt.png").unlink()
    status, _, err = cli("run", "made/image.png", "--trust-plugins", "-o", "third")
    assert status == 2
    assert "there is no file" in err


def test_no_metadata_on_request(cli):
    exporters = "exporters=[{type: still, metadata: none}, {type: video, metadata: none, seconds: 0.5}]"
    assert cli("run", "red.yaml", "-o", "made", "--quiet", "--set", exporters)[0] == 0
    status, _, err = cli("run", "made/image.png")
    assert status == 2
    assert "carries no recipe" in err


def test_two_processes_with_one_default_folder(work):
    import subprocess

    command = [sys.executable, "-m", "pixforge", "run", "red.yaml", "--quiet"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    folders = sorted(process.communicate()[0].split("/image")[0] for process in both)
    assert folders == ["outputs/red-1", "outputs/red-2"]


def test_two_runs_in_one_process(work):
    import threading

    recipes = [pixforge.load_recipe("red.yaml", {"seed": seed, "steps": 4}) for seed in (1, 2)]
    alone = [pixforge.render(recipe, f"alone-{recipe.seed}").images[0].tobytes() for recipe in recipes]
    made = {}

    def run(recipe):
        made[recipe.seed] = pixforge.render(recipe, f"both-{recipe.seed}").images[0].tobytes()

    threads = [threading.Thread(target=run, args=(recipe,)) for recipe in recipes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [made[1], made[2]] == alone


@pytest.mark.skipif(sys.platform in {"win32", "darwin"}, reason="these systems have no such names")
def test_a_run_in_a_folder_that_is_not_utf8_is_resumed(cli, work):
    name = os.fsdecode(b"caf\xe9")
    assert cli("run", "red.yaml", "-o", name, "--quiet")[0] == 0
    status, _, err = cli("resume", name, "--steps", "4", "--quiet", "-o", f"{name}-2")
    assert (status, err) == (0, "")
    assert cli("diff", name, name)[0] == 0
    assert (work / f"{name}-2" / "image.png").is_file()
