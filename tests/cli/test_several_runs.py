"""Several recipes or prompts in one call, and the preview."""

import json
import threading
import time

from PIL import Image

import pixforge
from pixforge.models.shared import SHARED


def test_several_recipes_run_one_after_the_other(cli, work):
    (work / "blue.yaml").write_text((work / "red.yaml").read_text().replace("seed: 3", "seed: 4"))
    status, out, err = cli("run", "red.yaml", "blue.yaml", "-o", "made", "--json", "--steps", "1")
    assert status == 0
    found = [json.loads(line) for line in out.splitlines()]
    assert [(each["folder"], each["seed"]) for each in found] == [("made/001-red", 3), ("made/002-blue", 4)]
    assert "1 of 2: red\n" in err
    assert (work / "made" / "002-blue" / "image.png").is_file()


def test_a_mistake_in_one_keeps_all_from_running(cli, work):
    (work / "bad.yaml").write_text("prompts: []\n")
    status, _, err = cli("run", "red.yaml", "bad.yaml", "-o", "made")
    assert status == 2
    assert "bad.yaml:1: prompts" in err
    assert not (work / "made").exists()


def test_one_that_fails_does_not_stop_the_others(cli, work):
    (work / "made" / "001-red").mkdir(parents=True)
    (work / "made" / "001-red" / "mine.txt").write_text("x")
    status, out, err = cli("run", "red.yaml", "red.yaml", "-o", "made", "--steps", "1", "--quiet")
    assert status == 2
    assert "pixforge: red: " in err
    assert "made/002-red/image.png" in out


def test_a_picture_for_each_line(cli, work):
    (work / "list.txt").write_text("# two\nred:2 | blue:-1\ngreen\n")
    status, out, _ = cli(
        "run", "red.yaml", "--each", "list.txt", "-o", "made", "--json", "--steps", "1", "--quiet"
    )
    assert status == 0
    folders = [json.loads(line)["folder"] for line in out.splitlines()]
    prompts = [
        [each.text for each in pixforge.load_recipe(f"{folder}/recipe.yaml").prompts] for folder in folders
    ]
    assert prompts == [["red", "blue"], ["green"]]
    assert cli("run", "--each", "none.txt")[0] == 2
    assert cli("run", "--each", "list.txt", "-p", "x")[0] == 2


def test_models_are_loaded_once(cli, work):
    (work / "list.txt").write_text("a red heart\na blue star\n")
    before = SHARED.loads
    settings = ("generator=pixels", "cutouts.count=1", "init=noise")
    common = (
        "--steps",
        "1",
        "--size",
        "32",
        "--quiet",
        *(word for each in settings for word in ("--set", each)),
    )
    assert cli("run", "--each", "list.txt", "-o", "made", "--set", "exporters=[still]", *common)[0] == 0
    assert SHARED.loads - before <= 2  # the perceptor and the judge


def test_a_preview_is_whole_whenever_it_is_read(work):
    recipe = pixforge.load_recipe(
        "red.yaml", {"exporters": [{"type": "preview", "seconds": 0}], "steps": 30, "canvases": 2}
    )
    seen, done = [], threading.Event()

    def look():
        while not done.is_set():
            if (work / "made" / "preview.png").exists():
                with Image.open(work / "made" / "preview.png") as image:
                    image.load()
                    seen.append(image.size)
            time.sleep(0.001)

    watcher = threading.Thread(target=look)
    watcher.start()
    pixforge.render(recipe, "made")
    done.set()
    watcher.join()
    assert set(seen) == {(64, 32)}
    assert not [
        path.name
        for path in (work / "made").iterdir()
        if "preview" in path.name and path.name != "preview.png"
    ]
