"""A run while it goes on: its cutouts, changes, and the way back to earlier moments."""

import io
import json

import pytest
from PIL import Image
from pixforge_studio import moments

TOKEN = "0123456789abcdef-secret"
LONG = "prompts: [a red heart]\ninit: noise\nsize: 32\nseed: 1\nsteps: 100000\nlosses: [{type: smoothness, weight: 1}]\nexporters: [still]\n"


@pytest.fixture
def running(studio):
    """A long run that has made some steps; it is stopped afterwards."""
    job = studio.add(LONG)
    studio.when(lambda: studio.json(f"/jobs/{job['id']}")["step"] > 2)
    yield job
    if studio.json(f"/jobs/{job['id']}")["state"] in {"running", "waiting"}:
        studio.json(f"/jobs/{job['id']}/stop", {})
    studio.until(job, "stopped", "failed", "finished")
    studio.json(f"/jobs/{job['id']}", {}, "DELETE")
    assert not (studio.folder / ".studio" / "moments" / str(job["id"])).exists()


def test_a_run_is_looked_at_changed_and_led_back(studio, running):
    path = f"/jobs/{running['id']}"
    studio.json(f"{path}/look", {})
    studio.when(lambda: studio.json(path)["looks"] == 1)
    cutouts = Image.open(io.BytesIO(studio.ask(f"/api/v1{path}/cutouts.jpg")[2]))
    assert cutouts.width % 114 == 0
    assert studio.json(path)["memory"]["here"] > 50
    dials = {each["path"]: each["value"] for each in studio.json(f"{path}/dials")["dials"]}
    assert (dials["prompts.0.text"], dials["losses.0.weight"]) == ("a red heart", 1)
    studio.json(f"{path}/change", {"changes": {"losses.0.weight": 3, "prompts.0.text": "a blue fox"}})
    found = studio.when(lambda: (job := studio.json(path))["notes"] and job["moments"] and job)
    assert "losses[0].weight: 1.0 -> 3.0" in found["notes"][0]
    recipe = (studio.folder / running["run"] / "recipe.yaml").read_text()
    assert "a blue fox" in recipe
    (moment,) = found["moments"]
    studio.when(lambda: studio.json(path)["step"] > moment + 30)
    studio.json(f"{path}/back", {"step": moment})
    back = studio.when(
        lambda: (job := studio.json(path))["state"] == "running" and job["step"] < moment + 30 and job
    )
    assert back["step"] >= moment
    studio.when(lambda: "a red heart" in (studio.folder / running["run"] / "recipe.yaml").read_text())
    studio.when(lambda: studio.json(path)["step"] > moment + 2)
    studio.json(f"{path}/stop", {})
    studio.until(running, "stopped", "failed")
    lineage = json.loads((studio.folder / running["run"] / "run.json").read_text())["lineage"]
    assert [each["step"] for each in lineage] == [moment]


@pytest.mark.parametrize(
    ("changes", "status", "said"),
    [
        ({"plugins": ["./evil.py"]}, 422, "cannot be changed while it runs"),
        ({"plugins.0": "./evil.py"}, 422, "cannot be changed while it runs"),
        ({" plugins": ["./evil.py"]}, 422, "cannot be changed while it runs"),
        ({"include": "../evil.yaml"}, 422, "cannot be changed while it runs"),
        ({"losses.0.weight": "heavy"}, 422, "losses.0.weight"),
        ({"nonsense": 1}, 422, "nonsense"),
        ([], 422, "mapping"),
        ({str(number): 1 for number in range(51)}, 422, "at most 50"),
    ],
)
def test_a_change_that_cannot_be_is_refused(studio, running, changes, status, said):
    (studio.folder / running["run"] / "evil.py").write_text("open('ran', 'w')")
    answer = studio.ask(f"/api/v1/jobs/{running['id']}/change", {"changes": changes})
    assert answer[0] == status
    assert said in json.loads(answer[2])["error"]


def test_what_does_not_run_is_not_changed_and_goes_nowhere(studio):
    job = studio.add(LONG.replace("steps: 100000", "steps: 2"))
    studio.until(job, "finished")
    path = f"/api/v1/jobs/{job['id']}"
    assert studio.ask(f"{path}/change", {"changes": {"steps": 3}})[0] == 409
    for step in (10**9, -1, "1", None, True, "../1", [1], 1.5):
        assert studio.ask(f"{path}/back", {"step": step})[0] == 422
    assert studio.ask(f"{path}/cutouts.jpg")[0] == 204
    assert studio.ask(f"{path}/back", {"step": 2}, headers={"Content-Type": "text/plain"})[0] == 415
    assert studio.ask(f"{path}/look", {}, token=None)[0] == 401


def test_a_finished_run_goes_on_from_an_earlier_moment(studio):
    job = studio.add(LONG.replace("steps: 100000", "steps: 6\ncheckpoint: {every: 2}"))
    found = studio.until(job, "finished")
    assert found["moments"] == [2, 4, 6]
    studio.json(f"/jobs/{job['id']}/back", {"step": 4})
    assert studio.until(job, "finished", "failed")["state"] == "finished"
    lineage = json.loads((studio.folder / job["run"] / "run.json").read_text())["lineage"]
    assert [each["step"] for each in lineage] == [4]


def test_few_moments_are_kept_and_they_lie_apart(tmp_path):
    run, home = tmp_path / "run", tmp_path / "moments"
    run.mkdir()
    for step in range(100):
        (run / "new").write_text(str(step))
        (run / "new").replace(run / "checkpoint.safetensors")
        moments.keep(home, run, step)
    kept = moments.kept(home)
    assert (len(kept), kept[0], kept[-1]) == (12, 0, 99)
    assert (home / f"{kept[3]}.safetensors").read_text() == str(kept[3])


def test_the_page_shows_cutouts_and_turns_a_weight(browser, studio, running):
    browser.size(1280)
    browser.call("Page.navigate", url=f"http://127.0.0.1:{studio.port}/?token={TOKEN}#watch")
    browser.until("typeof state !== 'undefined' && job()?.step > 2")
    browser.until("/ · [\\d.]+ [MG]B/.test(document.querySelector('#numbers').textContent)")
    browser.run("document.querySelector('#look').click()")
    browser.until("document.querySelector('#cutouts').naturalWidth > 100")
    browser.run("document.querySelector('#turn').open = true")
    browser.until("document.querySelector('[name=\"losses.0.weight\"]')?.value === '1'")
    browser.run(
        "document.querySelector('[name=\"losses.0.weight\"]').value = 4; document.querySelector('#dials [type=submit]').click()"
    )
    browser.until("document.querySelector('#notes').textContent.includes('losses[0].weight: 1.0 -> 4.0')")
    browser.until(
        "document.querySelector('[name=\"losses.0.weight\"]').value === '4' && document.querySelector('#moments').options.length === 1"
    )
    before = browser.run("Number(document.querySelector('#moments').value)")
    browser.until(f"job().step > {before} + 30 || state.steps[job().id].step > {before} + 30")
    browser.run("document.querySelector('#back').click()")
    browser.until(
        f"state.jobs.find(each => each.id === {running['id']}).step <= {before} + 30 && state.points[{running['id']}].at(-1)[0] < {before} + 30"
    )
