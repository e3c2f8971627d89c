"""The gallery: marks, filters, search, comparisons, lineage and the trash."""

import io
import json
import os
import time

import pytest
from PIL import Image
from pixforge_studio.folder import Folder
from pixforge_studio.gallery import Gallery, Wish
from pixforge_studio.shelf import Shelf

TOKEN = "0123456789abcdef-secret"
OCTETS = {"Content-Type": "application/octet-stream"}


def picture(color):
    file = io.BytesIO()
    Image.new("RGB", (32, 32), color).save(file, "PNG")
    return file.getvalue()


def put(
    root, name, prompt="a red heart", generator="vqgan", score=0.3, made=1000.0, color=(200, 30, 40), **facts
):
    """A run as it lies in the folder."""
    run = root / name
    run.mkdir(parents=True)
    (run / "image.png").write_bytes(picture(color))
    (run / "recipe.yaml").write_text(f"prompts: [{prompt}]\ngenerator: {{type: {generator}}}\nsteps: 3\n")
    (run / "run.json").write_text(
        json.dumps({"files": ["image.png"], "status": "finished", "held_out_score": score, **facts})
    )
    os.utime(run / "run.json", (made, made))
    return run


@pytest.fixture
def shelf(tmp_path):
    put(tmp_path, "one", score=0.1, made=1000)
    put(
        tmp_path,
        "two",
        "a blue fox",
        "pixels",
        0.5,
        2000,
        (20, 30, 200),
        lineage=[{"step": 2, "from": "../one"}],
    )
    put(tmp_path, "sweep/three", "a fox", "vqgan", None, 3000)
    return Gallery(Folder(tmp_path))


@pytest.mark.parametrize(
    ("wish", "names"),
    [
        (Wish(), ["sweep/three", "two", "one"]),
        (Wish("fox"), ["sweep/three", "two"]),
        (Wish("FOX blue"), ["two"]),
        (Wish(generator="vqgan"), ["sweep/three", "one"]),
        (Wish(score=0.2), ["two"]),
        (Wish(since=1500, until=3000), ["two"]),
        (Wish(by_score=True), ["two", "one", "sweep/three"]),
        (Wish(star=True), ["one"]),
        (Wish(tag="for print"), ["one"]),
        (Wish("print"), ["one"]),
    ],
)
def test_what_is_shown(shelf, wish, names):
    shelf.shelf.put("one", star=True, tags=["for print"])
    assert [each["run"] for each in shelf.runs(wish)] == names


def test_a_branch_knows_where_it_comes_from(shelf):
    shelf.runs()
    assert shelf.details("two")["parent"] == "one"
    assert shelf.details("one")["children"] == ["two"]


def test_a_family_is_drawn_from_its_first_run_on(tmp_path):
    put(tmp_path, "one")
    put(tmp_path, "two", lineage=[{"from": "../one"}])
    put(tmp_path, "three", lineage=[{"from": "../two"}])
    put(tmp_path, "other", lineage=[{"from": "../one"}])
    put(tmp_path, "alone")
    gallery = Gallery(Folder(tmp_path))
    gallery.runs()
    shown = [(each["run"], each["parent"]) for each in gallery.details("three")["family"]]
    assert shown == [("one", None), ("other", "one"), ("two", "one"), ("three", "two")]
    assert [each["run"] for each in gallery.details("alone")["family"]] == ["alone"]


def test_a_family_may_be_a_circle(tmp_path):
    put(tmp_path, "one", lineage=[{"from": "../two"}])
    put(tmp_path, "two", lineage=[{"from": "../one"}])
    gallery = Gallery(Folder(tmp_path))
    gallery.runs()
    assert sorted(each["run"] for each in gallery.details("one")["family"]) == ["one", "two"]


@pytest.mark.parametrize("path", ["../../../etc", "/etc/passwd", "..", "../../x"])
def test_no_lineage_leads_outside(tmp_path, path):
    put(tmp_path, "one", lineage=[{"from": path}, {"from": 5}, "x"])
    assert Gallery(Folder(tmp_path)).runs()[0]["parent"] is None


def test_marks_stay_and_the_trash_gives_back_what_it_got(tmp_path, shelf):
    shelf.shelf.put("sweep/three", star=True, tags=["b", "a", "a "])
    assert Shelf(Folder(tmp_path)).mark("sweep/three") == {"star": True, "tags": ["a", "b"]}
    assert shelf.shelf.throw_away("sweep/three")
    assert [each["run"] for each in shelf.runs()] == ["two", "one"]
    put(tmp_path, "sweep/three")
    (thrown,) = Shelf(Folder(tmp_path)).trash()
    assert shelf.shelf.restore(thrown["id"]) == "sweep/three-again"
    assert shelf.shelf.mark("sweep/three-again") == {"star": True, "tags": ["a", "b"]}
    assert shelf.shelf.trash() == []
    shelf.shelf.throw_away("one")
    shelf.shelf.empty()
    assert (shelf.shelf.trash(), (tmp_path / "one").exists()) == ([], False)


def test_a_run_that_went_since_it_was_listed_has_no_small_picture(tmp_path, shelf):
    assert shelf.thumb("one")[:3] == b"\xff\xd8\xff"
    shelf.shelf.throw_away("one")
    (tmp_path / "two" / "image.png").unlink()
    assert [shelf.thumb(name) for name in ("one", "two", "three")] == [b"", b"", None]


@pytest.mark.parametrize(
    "text", ["[]", "{", '{"one": 5}', '{"one": {"star": "yes", "tags": "x"}}', '{"one": {"tags": [5]}}']
)
def test_damaged_marks_are_none(tmp_path, text):
    folder = Folder(tmp_path)
    (folder.own / "marks.json").write_text(text)
    assert Shelf(folder).mark("one") == {"star": False, "tags": []}


@pytest.mark.parametrize(
    "about", ['{"run": "../../evil"}', '{"run": "/etc/x"}', '{"run": ".studio/x"}', '{"run": 5}', "["]
)
def test_the_trash_puts_nothing_outside(tmp_path, about):
    folder = Folder(tmp_path / "studio")
    trash = folder.own / "trash"
    (trash / "1-x").mkdir(parents=True)
    (trash / "1-x.json").write_text(about)
    assert Shelf(folder).restore("1-x") is None
    assert (trash / "1-x").is_dir()


BAD = ["..", "%2e%2e", "..%2f..", "nothing", ".studio", "a%00b", "one/../.."]


@pytest.mark.parametrize("name", BAD)
def test_only_runs_are_marked_thrown_away_and_compared(studio, done, name):
    assert studio.ask(f"/api/v1/runs/{name}/mark", {"star": True})[0] == 404
    assert studio.ask(f"/api/v1/runs/{name}/trash", {})[0] == 404
    assert studio.ask(f"/api/v1/compare?run={done}&run={name}")[0] == 404
    assert studio.ask(f"/api/v1/trash/{name}/restore", {})[0] == 404
    assert studio.ask("/api/v1/search", {"run": name})[0] == 422


@pytest.mark.parametrize(
    "body",
    [
        {"star": "yes"},
        {"tags": "x"},
        {"tags": ["x" * 41]},
        {"tags": [""]},
        {"tags": ["x"] * 21},
        {"tags": [{}]},
    ],
)
def test_a_mark_that_is_none_is_refused(studio, done, body):
    assert studio.ask(f"/api/v1/runs/{done}/mark", body)[0] == 422


def test_who_may_not_changes_nothing(studio, done):
    for path, body in (
        (f"/api/v1/runs/{done}/trash", {}),
        (f"/api/v1/runs/{done}/mark", {"star": True}),
        ("/api/v1/search", {"words": "x"}),
    ):
        assert studio.ask(path, body, token=None)[0] == 401
        assert studio.ask(path, body, headers={"Origin": "http://evil.example"})[0] == 403
        assert studio.ask(path, body, headers={"Host": "evil.example"})[0] == 421
        assert studio.ask(path, body, headers={"Content-Type": "text/plain"})[0] == 415
    assert studio.ask("/api/v1/trash", {}, "DELETE", headers={"Origin": "http://evil.example"})[0] == 403
    assert (
        studio.ask("/api/v1/search/picture", b"x", headers={**OCTETS, "Content-Length": str(2**30)})[0] == 413
    )
    assert studio.ask("/api/v1/search/picture", b"no picture", headers=OCTETS)[0] == 422
    for value in ("x", "nan,", "1e"):
        assert studio.ask(f"/api/v1/runs?score={value}")[0] == 422
    assert studio.ask("/api/v1/compare?run=a")[0] == 422
    assert studio.json(f"/runs/{done}")["star"] is False


def test_a_run_in_the_queue_is_not_thrown_away(studio):
    job = studio.add("prompts: [a red heart]\ninit: noise\nsize: 32\nsteps: 100000\n")
    studio.when(lambda: studio.json(f"/jobs/{job['id']}")["step"] > 0)
    assert studio.ask(f"/api/v1/runs/{job['run']}/trash", {})[0] == 409
    studio.json(f"/jobs/{job['id']}/stop", {})
    studio.until(job, "stopped")
    studio.json(f"/jobs/{job['id']}", {}, "DELETE")
    studio.json(f"/runs/{job['run']}/trash", {})
    studio.json("/trash", {}, "DELETE")


@pytest.fixture(scope="module")
def colors(studio):
    pytest.importorskip("faiss", reason="no faiss: pip install 'pixforge[search]'")
    put(studio.folder, "red", "something red", color=(220, 20, 20), made=time.time())
    put(studio.folder, "blue", "something blue", "pixels", color=(20, 20, 220), made=time.time())
    return studio


def test_search_by_words_by_a_run_and_by_a_picture(colors):
    found = [each["run"] for each in colors.json("/search", {"words": "a blue square"})["runs"]]
    assert found.index("blue") < found.index("red")
    found = colors.json("/search", {"run": "red"})["runs"]
    assert (found[0]["run"], found[0]["likeness"] > 0.99) == ("red", True)
    status, _, content = colors.ask("/api/v1/search/picture", picture((20, 20, 220)), headers=OCTETS)
    assert (status, json.loads(content)["runs"][0]["run"]) == (200, "blue")
    found = colors.json("/compare?run=red&run=blue")["differences"]
    assert {"where": "generator", "values": ["{type: vqgan}", "{type: pixels}"]} in found
    assert ["something red", "something blue"] in [each["values"] for each in found]


@pytest.fixture
def page(browser, colors):
    browser.size(1280)
    browser.call("Page.navigate", url="about:blank")
    browser.call("Page.navigate", url=f"http://127.0.0.1:{colors.port}/?token={TOKEN}#gallery")
    browser.until("document.querySelectorAll('#pictures li').length >= 2")
    return browser


def test_the_page_compares_two_runs(page):
    page.run(
        "for (const e of document.querySelectorAll('.pick')) if (/(red|blue)$/.test(e.getAttribute('aria-label'))) e.click()"
    )
    page.run("document.querySelector('#compare').click()")
    page.until(
        "document.querySelector('#comparison').open && document.querySelector('#over-a').naturalWidth === 32 && document.querySelector('#over-b').naturalWidth === 32"
    )
    page.run(
        "document.querySelector('#over-slide').value = 80; document.querySelector('#over-slide').dispatchEvent(new Event('input'))"
    )
    assert page.run("document.querySelector('#over-b').style.clipPath") == "inset(0px 0px 0px 80%)"
    assert "something red" in page.run("document.querySelector('#differences').textContent")
    page.run("document.querySelector('#comparison').close()")


def test_videos_of_two_runs_play_together(page, colors):
    text = "prompts: [a red heart]\ninit: noise\nsize: 32\nsteps: 20\nexporters: [still, {type: video, seconds: 2}]\n"
    jobs = [colors.add(text) for _ in range(2)]
    for job in jobs:
        colors.until(job, "finished", "failed")
    names = json.dumps([job["run"] for job in jobs])
    page.run(
        f"look(); picked.clear(); for (const run of {names}) picked.add(run); chosen(); document.querySelector('#compare').click()"
    )
    page.until(
        "videos().length === 2 && videos().every(each => each.readyState >= 2) && !document.querySelector('#videos').hidden"
    )
    page.run(
        "document.querySelector('#videos-at').value = 500; document.querySelector('#videos-at').dispatchEvent(new Event('input'))"
    )
    page.until(
        "videos().every(each => each.currentTime > 0.5 && each.currentTime === videos()[0].currentTime)"
    )
    page.run("document.querySelector('#videos-play').click()")
    page.until("videos().every(each => !each.paused)")
    page.run("document.querySelector('#comparison').close(); picked.clear(); chosen()")


def test_the_page_stars_tags_filters_searches_and_throws_away(page, colors):
    page.run(
        "[...document.querySelectorAll('#pictures .star')].find(e => e.getAttribute('aria-label').endsWith(', blue')).click()"
    )
    page.until("document.querySelector('.star[aria-pressed=true]')?.textContent === '★'")
    page.run("document.querySelector('#starred').click()")
    page.until("document.querySelector('#found').textContent === '1 run'")
    page.run("document.querySelector('#pictures button').click()")
    page.until("document.querySelector('#details').open")
    page.run(
        "document.querySelector('#tags').value = 'sea, sky'; document.querySelector('#tag-form [type=submit]').click()"
    )
    page.until("[...document.querySelector('#by-tag').options].some(e => e.value === 'sky')")
    page.until("document.querySelector('#media img').naturalWidth === 32")
    page.run(
        "(asks => { ask = (...given) => { if (given[0].endsWith('/trash')) { window.left = $('media').children.length; ask = asks; } return asks(...given); }; })(ask)"
    )
    page.run("document.querySelector('#throw').click()")
    page.until("document.querySelector('#found').textContent === '0 runs'")
    assert page.run("left") == 0  # what is still being loaded would be asked for where it no longer is
    page.run("document.querySelector('#starred').click(); document.querySelector('#show-trash').click()")
    page.until("document.querySelector('#thrown button')")
    page.run("document.querySelector('#thrown button').click()")
    page.until("document.querySelector('#thrown').textContent === 'Nothing is in it.'")
    assert colors.json("/runs/blue")["tags"] == ["sea", "sky"]
    page.run(
        "document.querySelector('#trash').close(); document.querySelector('#shows').value = 'a blue square'; document.querySelector('#search button').click()"
    )
    page.until("/alike/.test(document.querySelector('#pictures .about')?.textContent)", 30)
    page.run("document.querySelector('#search-end').click()")
    page.until(
        "!/alike/.test(document.querySelector('#pictures').textContent) && document.querySelector('#pictures li')"
    )
