"""The page in a browser: what a user does and sees."""

import json
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

TOKEN = "0123456789abcdef-secret"
TEXT = "prompts:\n- a red heart\ninit: noise\nsize: 32\nseed: 1\nsteps: 400\nexporters: [still]\n"
INSIDE = "document.querySelector('#editor').shadowRoot"
LONGEST = 600_000
"""Bytes of the page and its scripts."""
ISSUES = """(() => {
  const named = e => e.getAttribute("aria-label") || e.labels?.length || e.textContent.trim() || e.title;
  const shown = e => e.offsetParent !== null;
  const wrong = [...document.querySelectorAll("button, input, select, textarea, a")].filter(e => shown(e) && !named(e));
  wrong.push(...[...document.querySelectorAll("img")].filter(e => shown(e) && !e.hasAttribute("alt")));
  const ids = [...document.querySelectorAll("[id]")].map(e => e.id);
  return [...wrong.map(e => e.outerHTML), ...ids.filter((e, i) => ids.indexOf(e) !== i)];
})()"""
CONTRAST = """(() => {
  const light = c => { const v = c.match(/[\\d.]+/g).slice(0, 3).map(x => x / 255).map(x => x <= .04045 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4);
    return .2126 * v[0] + .7152 * v[1] + .0722 * v[2]; };
  const ground = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (!/, 0\\)$|transparent/.test(c)) return c; } return "rgb(255,255,255)"; };
  const found = [];
  for (const e of document.querySelectorAll("h1, h2, h3, p, a, button, label, legend, span, li, dt, dd, figcaption, textarea, input")) {
    if (e.offsetParent === null || !(e.textContent.trim() || e.value) || e.disabled) continue;
    const a = light(getComputedStyle(e).color), b = light(ground(e)), ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) found.push(`${e.tagName} ${e.id} ${ratio.toFixed(1)}`);
  }
  return found;
})()"""


@pytest.fixture(scope="module")
def page(browser, studio, done):
    browser.size(1280)
    browser.call("Page.navigate", url=f"http://127.0.0.1:{studio.port}/?token={TOKEN}")
    browser.until("document.querySelector('#verdict')?.textContent === 'valid'")
    return browser


def write(page, text):
    page.run(f"setText({json.dumps(text)}); check()")


def test_form_and_text_are_views_of_each_other(page):
    write(page, "# mine\nprompts: [a fox]\nsteps: 7\n")
    page.until("document.querySelector('#prompts input').value === 'a fox'")
    assert page.run("document.querySelector('#steps').value") == "7"
    page.run(
        "document.querySelector('#prompts input').focus(); document.querySelector('#prompts input').select()"
    )
    page.call("Input.insertText", text="a penguin")
    page.until("editor.text === '# mine\\nprompts:\\n- a penguin\\nsteps: 7\\n'")
    page.run(
        "document.querySelector('#extends').value = 'draft'; document.querySelector('#extends').dispatchEvent(new Event('change'))"
    )
    page.until("editor.text.endsWith('extends: draft\\n')")
    page.until("document.querySelector('#generator').options.length > 3")


def test_errors_stand_at_their_lines(page):
    write(page, "prompts: [a fox]\nsteps: many\n")
    page.until(f"{INSIDE}.querySelector('.wrong-line')?.textContent === 'steps: many'")
    page.until(f"{INSIDE}.querySelector('.cm-lintRange-error')?.textContent === 'steps: many'")
    page.run("document.querySelector('#problems button').click()")
    selected = "editor.view.state.sliceDoc(editor.view.state.selection.main.from, editor.view.state.selection.main.to)"
    assert page.run(selected) == "steps: many"
    write(page, TEXT)
    page.until("document.querySelector('#verdict').textContent === 'valid'")
    assert page.run("document.querySelectorAll('#problems li').length") == 0
    assert page.run(f"{INSIDE}.querySelector('.wrong-line')") is None


def test_the_editor_offers_words_and_says_what_they_mean(page):
    write(page, "prompts: [a fox]\ngenerator: ")
    page.run("editor.view.dispatch({selection: {anchor: editor.view.state.doc.length}}); editor.focus()")
    page.call("Input.insertText", text="vq")
    page.until("editor.offered().includes('vqgan')")
    page.until(f"{INSIDE}.querySelector('.cm-completionInfo')?.textContent.includes('VQGAN')")
    time.sleep(0.1)  # the editor takes no key in the first moments of a list
    page.press("Enter", "Enter", 13)
    page.until("editor.text === 'prompts: [a fox]\\ngenerator: vqgan'")
    where = page.run("(({left, top}) => [left + 3, top + 5])(editor.view.coordsAtPos(18))")
    page.call("Input.dispatchMouseEvent", type="mouseMoved", x=where[0], y=where[1])
    page.until(f"{INSIDE}.querySelector('.cm-tooltip-hover')?.textContent.startsWith('generator')")


def test_words_that_the_model_does_not_know_are_marked(page):
    write(page, "prompts: [a zorgblat in the sea]\n")
    page.until(f"{INSIDE}.querySelector('.unknown-word')?.textContent === 'zorgblat'")
    assert "zorgblat" in page.run("document.querySelector('#problems').textContent")
    write(page, TEXT)
    page.until(f"!{INSIDE}.querySelector('.unknown-word')")


def test_control_enter_runs_and_the_picture_becomes(page, studio):
    write(page, TEXT)
    page.run(
        "window.seen = new Set(); new MutationObserver(() => seen.add(document.querySelector('#preview').src)).observe(document.querySelector('#preview'), {attributes: true})"
    )
    page.run("editor.focus()")
    page.press("Enter", "Enter", 13, modifiers=2)
    page.until("seen.size > 2 && document.querySelector('#preview').naturalWidth === 32", 60)
    page.until("/step \\d+ of 400 · [\\d.]+ steps.s/.test(document.querySelector('#numbers').textContent)")
    assert page.run("[...document.querySelectorAll('#legend li')].map(e => e.textContent.split(' ')[0])")[
        :2
    ] == ["total", "prompt"]
    page.run("document.querySelector('#pause').click()")
    page.until("document.querySelector('#numbers').textContent.startsWith('paused')")
    page.call("Page.reload")  # the server holds the state
    page.until(
        "document.querySelector('#numbers')?.textContent.startsWith('paused') && document.querySelector('#preview').naturalWidth === 32"
    )
    assert page.run("state.points[job().id].length") > 1
    page.run("document.querySelector('#stop').click()")
    page.until("document.querySelector('#numbers').textContent.startsWith('stopped')")


def test_the_queue_shows_it_and_lets_it_go_on(page):
    page.run("location.hash = '#queue'")
    page.until("document.querySelector('#jobs li .about').offsetParent !== null")
    words = page.run(
        "[...document.querySelector('#jobs li:last-child').querySelectorAll('button')].map(e => e.textContent)"
    )
    assert words == ["Go on", "Redo", "Change", "Remove"]
    page.run("[...document.querySelectorAll('#jobs li:last-child button')].pop().click()")
    page.until("!state.jobs.some(each => each.state === 'stopped')")


def test_what_waits_is_dragged_to_another_place(page, studio):
    long = studio.add(TEXT.replace("steps: 400", "steps: 100000"))
    waiting = [studio.add(TEXT.replace("seed: 1", f"seed: {seed}"))["id"] for seed in (2, 3, 4)]
    page.run("location.hash = '#queue'")
    page.until("order.length === 3")
    middle = """(() => { const box = document.querySelector('#jobs li[data-id="ID"]').getBoundingClientRect();
      return [box.left + 40, box.top + AT * box.height]; })()"""

    def place(number, at=0.5):
        return page.run(middle.replace("ID", str(number)).replace("AT", str(at)))

    begin, end = place(waiting[2]), place(waiting[0], 0.2)
    page.drag(begin, [begin[0], begin[1] - 10], [end[0], end[1] + 4], end)
    page.until(f"order[0].id === {waiting[2]}")
    assert page.run("order.map(each => each.id)") == [waiting[2], waiting[0], waiting[1]]
    begin, end = place(waiting[2]), place(waiting[1], 0.8)
    page.drag(begin, [begin[0], begin[1] + 10], [end[0], end[1] - 4], end)
    page.until(f"order[2].id === {waiting[2]}")
    for number in (*waiting, long["id"]):
        studio.ask(f"/api/v1/jobs/{number}/stop", {})
    studio.until(long, "stopped")
    for number in (*waiting, long["id"]):
        studio.ask(f"/api/v1/jobs/{number}", {}, "DELETE")


ASKED_TOO_LATE = """(async () => {
  const about = TOLD, [later, before] = [soon, watched], images = [$("preview"), $("cutouts")];
  soon = () => {};  // the page has not been told yet that the entry is gone
  const answers = images.map(each => new Promise(done => { each.onload = each.onerror = event => done(event.type); }));
  [state.jobs, watched] = [[about], about.id];
  paint();
  const found = [await Promise.all(answers), $("preview").hidden, $("seen").hidden];
  for (const each of images) each.onload = each.onerror = null;
  [soon, watched, state.jobs] = [later, before, (await ask("/jobs")).jobs];
  soon();
  return found;
})()"""


def test_a_picture_that_went_meanwhile_is_not_shown_and_no_mistake(page, studio):
    """Another page or a script took the entry off the list after this page was told of a new picture."""
    job = studio.add(TEXT.replace("steps: 400", "steps: 100000"))
    path = f"/jobs/{job['id']}"
    studio.when(lambda: studio.json(path)["previews"])
    studio.json(f"{path}/stop", {})
    told = {**studio.until(job, "stopped"), "previews": 10**6, "looks": 1, "points": []}
    studio.json(path, {}, "DELETE")
    page.until(f"!state.jobs.some(each => each.id === {job['id']})")
    page.run(f"delete preview[{job['id']}]; 1")
    found = page.run(ASKED_TOO_LATE.replace("TOLD", json.dumps(told)))
    assert found == [["error", "error"], True, True]
    asked = [
        each["params"]["response"]
        for each in page.events
        if each["method"] == "Network.responseReceived"
        and f"/api/v1{path}/" in each["params"]["response"]["url"]
    ]
    late = [
        each["status"] for each in asked if each["url"].endswith(("preview.jpg?n=1000000", "cutouts.jpg?n=1"))
    ]
    assert late == [204, 204]


def test_the_gallery_shows_runs_filters_them_and_loads_a_recipe_again(page):
    page.run("location.hash = '#gallery'")
    page.until(
        "document.querySelectorAll('#pictures img').length >= 2 && document.querySelector('#pictures img').naturalWidth > 0"
    )
    page.run(
        "document.querySelector('#filter').value = 'zebra'; document.querySelector('#filter').dispatchEvent(new Event('input', {bubbles: true}))"
    )
    page.until(
        "document.querySelectorAll('#pictures li').length === 0 && document.querySelector('#found').textContent === '0 runs'"
    )
    page.run(
        "document.querySelector('#filter').value = ''; document.querySelector('#filter').dispatchEvent(new Event('input', {bubbles: true}))"
    )
    page.until("document.querySelectorAll('#pictures button').length >= 2")
    page.run("document.querySelector('#pictures button').click()")
    page.until(
        "document.querySelector('#details').open && document.querySelector('#media img').naturalWidth === 32"
    )
    assert page.run("document.querySelector('#details-title').textContent") == "a red heart"
    assert page.run(ISSUES) == []
    page.run("document.querySelector('#load').click()")
    page.until("document.body.dataset.view === 'make' && editor.text.startsWith('version: 1')")


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("dark", [False, True])
def test_every_part_can_be_read_and_is_named(page, width, dark):
    page.size(width, dark=dark)
    for view in ("make", "watch", "queue", "gallery"):
        page.run(f"location.hash = '#{view}'")
        page.until(f"document.body.dataset.view === '{view}'")
        assert page.run(ISSUES) == [], view
        assert page.run(CONTRAST) == [], view
        assert page.run("document.documentElement.scrollWidth <= innerWidth"), view
    page.size(1280)


AXE = Path(__file__).parents[1] / "editor" / "node_modules" / "axe-core" / "axe.min.js"
VIOLATIONS = "axe.run(document, {resultTypes: ['violations']}).then(all => all.violations.map(v => `${v.impact} ${v.id} ${v.nodes[0].target}`))"


@pytest.mark.skipif(not AXE.exists(), reason="no axe-core: npm ci in plugins/studio/editor")
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing(page, width, dark):
    page.size(width, dark=dark)
    page.run(AXE.read_text() + ";1")
    write(
        page,
        "film: {fps: 12}\nscenes: [a fox, {seconds: 2, fade: 1, prompts: [{text: a zorgblat, weight: {0%: 1, 100%: 2}}]}]\nsteps: x\n",
    )
    page.run("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    page.until(
        "document.querySelectorAll('.scene').length === 2 && document.querySelectorAll('.curve').length === 1"
    )
    for view in ("make", "watch", "queue", "gallery"):
        page.run(f"location.hash = '#{view}'")
        page.until(f"document.body.dataset.view === '{view}'")
        assert page.run(VIOLATIONS) == [], view
    page.until("document.querySelector('#pictures button') !== null")
    dialogs = {
        "details": "document.querySelector('#pictures button').click()",
        "painter": "paintMask('A part', () => null)",
        "trash": "document.querySelector('#show-trash').click()",
    }
    for name, script in dialogs.items():
        page.run(f"{script}; 1")
        page.until(f"document.querySelector('#{name}').open")
        assert page.run(VIOLATIONS) == [], name
        page.press("Escape", "Escape", 27)
        page.until(f"!document.querySelector('#{name}').open")
    page.size(1280)
    page.run("document.querySelectorAll('details').forEach(each => { each.open = false; })")
    write(page, TEXT)
    page.until("document.querySelector('#verdict').textContent === 'valid' && form.prompts")


def test_the_keyboard_reaches_everything(page):
    page.run("location.hash = '#make'; scrollTo(0, 0); document.activeElement.blur()")
    reached = set()
    for _ in range(40):
        page.press("Tab", "Tab", 9)
        reached.add(
            page.run(
                "document.activeElement.id || document.activeElement.hash || document.activeElement.getAttribute('aria-label') || ''"
            )
        )
    assert {
        "#make",
        "#watch",
        "#queue",
        "#gallery",
        "editor",
        "run",
        "open",
        "extends",
        "seed",
        "Prompt 1",
    } <= reached


def port_of(said):
    """Of the page that a browser's complaint is about; None where it does not say."""
    about = said.get("entry") or said.get("exceptionDetails") or {}
    return urlsplit(about.get("url", "")).port


def test_nothing_leaves_the_machine_and_nothing_goes_wrong(page, studio):
    asked = [
        each["params"]["request"]["url"]
        for each in page.events
        if each["method"] == "Network.requestWillBeSent"
        and not each["params"]["request"]["url"].startswith(("blob:", "about:", "data:"))
    ]
    # Servers of other tests in the same browser have other ports.
    assert {urlsplit(each).hostname for each in asked} == {"127.0.0.1"}
    said = [
        each["params"]
        for each in page.events
        if each["method"] in {"Runtime.exceptionThrown", "Log.entryAdded"}
        and port_of(each["params"]) in {None, studio.port}
    ]
    refused = "/recipes/of-file"  # pictures without a recipe
    wrong = [each for each in said if refused not in str(each)]
    assert not wrong, "\n".join(json.dumps(each) for each in wrong)
    parts = (
        "/",
        "/pictures.js",
        "/watch.js",
        "/studio.css",
        "/studio.js",
        "/chart.js",
        "/editor.js",
        "/icon.svg",
    )
    assert sum(len(studio.ask(each)[2]) for each in parts) < LONGEST
