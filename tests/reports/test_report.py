"""Pages and contact sheets of runs."""

import base64
import hashlib
import io
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from PIL import Image

import pixforge
from pixforge.cli.main import main
from pixforge.reports.facts import RunFacts, read_curves, read_facts
from pixforge.reports.page import Entry, write_page
from pixforge.reports.sheets import Grid, pages, save_sheets, wrapped
from pixforge.reports.thumbs import make_thumb

HEART = {
    "prompts": ["a red heart"], "seed": 1, "size": [48, 32], "steps": 3, "init": "noise", "generator": "pixels",
    "cutouts.count": 2, "exporters": ["still"],
}  # fmt: skip


def data_of(page):
    text = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)[1]
    return json.loads(text)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two runs, the second one a branch of the first."""
    home = tmp_path_factory.mktemp("runs")
    first = {key: value for key, value in HEART.items() if "." not in key} | {
        "cutouts": {"type": "random", "count": 2}
    }
    pixforge.render(pixforge.load_recipe(first), home / "first")
    pixforge.resume(home / "first", {"steps": 5, "losses.0.weight": 2}, out=home / "second")
    return home


def test_a_page_of_any_runs(runs, tmp_path, capsys):
    out = tmp_path / "page.html"
    assert main(["report", str(runs), "-o", str(out)]) == 0
    assert capsys.readouterr().out == f"{out}\n"
    data = data_of(out.read_text())
    first, second = data["runs"]
    assert (first["name"], second["name"]) == ("first", "second")
    assert {"steps", "losses[0].weight"} <= set(data["settings"])
    assert second["settings"]["losses[0].weight"] == "2.0"
    assert first["differs"][:3] == ["prompts: a red heart", "size: 256x256 → 48x32", "steps: 60 → 3"]
    assert "generator: vqgan → pixels" in first["differs"]
    assert second["lineage"] == ["step 3: from ../first, steps: 3 -> 5; losses[0].weight: 1.0 -> 2.0"]
    assert [step for step, _ in first["curves"]["total"]] == [1, 2, 3]
    assert {"build", "loop", "export"} <= set(first["timings"])
    assert first["thumb"].startswith("data:image/jpeg;base64,")


def test_a_run_says_what_it_was_made_of(runs, tmp_path):
    shutil.copytree(runs / "first", tmp_path / "child")
    with (tmp_path / "child" / "recipe.yaml").open("a") as file:
        file.write("based_on: ['generation 2: of 0001']\n")
    assert main(["report", str(tmp_path)]) == 0
    assert data_of((tmp_path / "report.html").read_text())["runs"][0]["lineage"] == ["generation 2: of 0001"]


def test_links_lead_from_the_page_to_the_files(runs):
    assert main(["report", str(runs)]) == 0
    first = data_of((runs / "report.html").read_text())["runs"][0]
    for link in (first["recipe"], first["folder"], *first["pictures"]):
        assert (runs / link).exists()
    (runs / "report.html").unlink()


def test_one_run(runs, tmp_path):
    out = tmp_path / "one.html"
    assert main(["report", str(runs / "second"), "-o", str(out)]) == 0
    assert [run["name"] for run in data_of(out.read_text())["runs"]] == ["second"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none"], "none: there is no such folder"),
        (["."], ".: holds no run, and no folder with one"),
        ([".", "-o", "page.txt"], "page.txt: the name of a page ends in .html"),
        ([], "report needs DIR..."),
    ],
)
def test_one_clear_line(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["report", *arguments]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"pixforge: {message}")
    assert err.count("\n") == 1


def test_nothing_in_a_run_can_become_a_part_of_the_page(tmp_path):
    evil = '</script><script>alert(1)</script><!-- "'
    facts = RunFacts(evil, tmp_path / "run", "failed", error=evil, seed=evil)
    write_page(tmp_path / "page.html", evil, [Entry(facts, None, {evil: evil}, [evil], evil)])
    page = (tmp_path / "page.html").read_text()
    assert "alert(1)" in page
    assert "<script>alert" not in page
    assert page.count("</script>") == 2
    assert data_of(page)["runs"][0]["name"] == evil


def test_the_page_allows_its_own_script_alone_and_no_address(tmp_path):
    write_page(tmp_path / "page.html", "a", [])
    page = (tmp_path / "page.html").read_text()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
    script = re.search(r"<script>(.*?)</script>", page, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org/2000/svg", "")


def test_numbers_and_times_are_shown_as_they_are(tmp_path):
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("no Chromium: on Debian, apt install chromium")
    values = (1000, 1230.4, -1500, 1.2345e10, 0.5, 0, 0.00123456, 20)
    final = {f"t{place}": value for place, value in enumerate(values)}
    times = (0.25, 59.94, 59.96, 119.7, 3600)
    entries = [
        Entry(RunFacts(f"r{place}", tmp_path, "finished", seconds=value, final=final if place == 0 else {}), None)
        for place, value in enumerate(times)
    ]  # fmt: skip
    write_page(tmp_path / "page.html", "a", entries)
    page = re.sub("<meta http-equiv[^>]*>", "", (tmp_path / "page.html").read_text())  # to press a button
    press = "[...document.querySelectorAll('button')].find(e => e.textContent === 'table').click()"
    (tmp_path / "page.html").write_text(page.replace("</body>", f"<script>{press}</script></body>"))
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'browser'}"]
    command = [chromium, *options, "--dump-dom", (tmp_path / "page.html").as_uri()]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    cells = re.findall(r'<td class="number">(.*?)</td>', shown)
    rows = [cells[at : at + 11] for at in range(0, len(cells), 11)]  # score, steps, time, and the terms
    assert [row[2] for row in rows] == ["0.25 s", "59.9 s", "1 min 0 s", "2 min 0 s", "60 min 0 s"]
    assert rows[0][3:] == ["1000", "1230", "-1500", "12350000000", "0.5", "0", "0.001235", "20"]


def test_a_record_of_nonsense_is_no_run_that_breaks_the_page(tmp_path):
    (tmp_path / "recipe.yaml").write_text("- no recipe\n")
    (tmp_path / "run.json").write_text(
        '{"status": 3, "held_out_score": "x", "files": [1, "../../etc/passwd", "image.png"], "timings": [], "final": {"a": null},'
        ' "lineage": [3, {"step": [], "changes": "x"}], "versions": 1}'
    )
    (tmp_path / "metrics.csv").write_bytes(b"step,total\n1,nan\nx,2\n\xff,\n2,0.5\n")
    facts = read_facts(tmp_path, "odd")
    assert (facts.status, facts.score, facts.pictures, facts.final) == ("begun", None, [], {})
    assert facts.curves == {"total": [(2, 0.5)]}
    assert main(["report", str(tmp_path), "-o", str(tmp_path / "page.html")]) == 0


@pytest.mark.parametrize(
    "record",
    [
        {"held_out_score": 10**400},
        {"files": ["a" * 300 + ".png", "a\0.png", "\ud800.png"]},
        {"timings": {"total": -(10**400)}},
    ],
)
def test_a_record_of_odd_numbers_and_names_breaks_no_page(runs, tmp_path, record):
    (tmp_path / "recipe.yaml").write_text("prompts: [a]\nbased_on: 5\n")
    (tmp_path / "run.json").write_text(json.dumps(record))
    facts = read_facts(tmp_path, "odd")
    assert (facts.score, facts.pictures, facts.seconds) == (None, [], None)
    assert main(["report", str(runs / "first"), str(tmp_path), "-o", str(tmp_path / "page.html")]) == 0


def test_pictures_of_a_run_are_its_results(tmp_path):
    results = ["a-step-by-step.png", "image-00.jpg"]
    beside = [
        "image-frame-00012.png",
        "image-00-step-00010.jpg",
        "best-00.png",
        "best.png",
        "contact-sheet.jpg",
        "preview.png",
    ]
    for name in (*results, *beside):
        Image.new("RGB", (8, 8)).save(tmp_path / name)
    (tmp_path / "run.json").write_text(json.dumps({"files": [*beside, *results]}))
    facts = read_facts(tmp_path, "film")
    assert [path.name for path in facts.pictures] == results
    assert [path.name for path in facts.others] == beside
    (tmp_path / "run.json").write_text(json.dumps({"files": ["image-frame-00012.png", "best.png"]}))
    assert [path.name for path in read_facts(tmp_path, "film").pictures] == ["best.png"]


def test_a_long_curve_has_sixty_points_and_the_last_step(tmp_path):
    lines = [f"{step},{1 / step},0.1,0.2" for step in range(1, 1001)]
    (tmp_path / "metrics.csv").write_text("\n".join(["step,total,learning_rate,seconds", *lines]) + "\n")
    curves = read_curves(tmp_path / "metrics.csv")
    assert list(curves) == ["total"]
    assert 30 <= len(curves["total"]) <= 60
    assert curves["total"][-1] == (1000, 0.001)


def test_pages_of_a_sheet():
    grid = Grid(
        "t", tuple("abcdefghij"), tuple(map(str, range(12))), {(9, 11): "x", (0, 0): "y", (0, 11): "z"}
    )
    found = list(pages(grid))
    assert [page.cells for page in found] == [{(0, 0): "y"}, {(0, 1): "z"}, {(1, 1): "x"}]
    assert found[2].rows == ("i", "j")
    assert found[2].columns == ("10", "11")


def test_a_sheet_shows_each_run_in_its_place(tmp_path):
    for name, color in (("r", "red"), ("b", "blue")):
        Image.new("RGB", (64, 32), color).save(tmp_path / f"{name}.png")
    thumbs = {name: tmp_path / f"{name}.png" for name in "rb"}
    grid = Grid("colors", ("up", "down"), ("left", "right"), {(0, 0): "r", (1, 1): "b", (0, 1): "gone"})
    (path,) = save_sheets(grid, thumbs, {"r": "first"}, tmp_path)
    with Image.open(path) as sheet:

        def near(place):
            return tuple(round(each / 64) for each in sheet.getpixel(place))

        assert near((150 + 8 + 80, 88 + 80)) == (4, 0, 0)
        assert near((150 + 8 + 168 + 80, 88 + 184 + 80)) == (0, 0, 4)
        assert near((150 + 8 + 168 + 80, 88 + 80)) == (3, 3, 3)  # no picture
        assert near((150 + 8 + 80, 88 + 184 + 80)) == (4, 4, 4)  # no run


def test_old_pages_of_sheets_go(tmp_path):
    (tmp_path / "sheet-7.jpg").touch()
    save_sheets(Grid("t", ("",), ("",), {(0, 0): "x"}), {}, {}, tmp_path)
    assert [path.name for path in sorted(tmp_path.glob("sheet-*"))] == ["sheet-1.jpg"]


@pytest.mark.parametrize(
    ("text", "lines", "found"),
    [
        ("one two", 2, ["one two"]),
        ("one two three", 2, ["one two", "three"]),
        ("one two three four five", 2, ["one two", "three..."]),
        ("a\nb\nc", 3, ["a", "b", "c"]),
        ("a\nb\nc", 2, ["a", "b..."]),
        ("abcdefghijkl", 2, ["abcdefgh", "ijkl"]),
    ],
)
def test_text_in_lines(text, lines, found):
    assert wrapped(text, lambda part: len(part) <= 8, lines) == found


def test_canvases_of_a_run_are_one_small_picture(tmp_path):
    paths = []
    for number, color in enumerate(("red", "lime", "blue", "white")):
        paths.append(tmp_path / f"image-{number:02d}.png")
        Image.new("RGB", (32, 32), color).save(paths[-1])
    thumb = make_thumb(paths)
    assert thumb.size == (192, 192)
    assert [thumb.getpixel(place) for place in ((10, 10), (180, 10), (10, 180), (180, 180))] == [
        (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255),
    ]  # fmt: skip
    assert make_thumb([Path("none.png")]) is None


def test_a_page_with_what_the_perceptors_saw(runs, tmp_path, capsys):
    out = tmp_path / "page.html"
    assert main(["report", str(runs), "-o", str(out), "--cutouts", "1"]) == 0
    found = [run["cutouts"] for run in data_of(out.read_text())["runs"] if "cutouts" in run]
    assert len(found) == 1
    with Image.open(io.BytesIO(base64.b64decode(found[0].split(",")[1]))) as sheet:
        assert sheet.width > 64  # two cutouts of the embedded perceptor
        assert len(sheet.convert("RGB").getcolors(1 << 24)) > 50


def test_a_run_that_cannot_be_built_again_has_none_and_says_so(runs, tmp_path, capsys):
    broken = tmp_path / "broken"
    shutil.copytree(runs / "first", broken)
    text = (broken / "recipe.yaml").read_text()
    (broken / "recipe.yaml").write_text(text.replace("model: embedded", "model: ViT-B-32/openai", 1))
    out = tmp_path / "page.html"
    assert main(["report", str(broken), "-o", str(out), "--cutouts", "1"]) == 0
    assert "broken: no cutouts: " in capsys.readouterr().err
    assert "cutouts" not in data_of(out.read_text())["runs"][0]
