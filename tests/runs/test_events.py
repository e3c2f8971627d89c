"""A run as an object: its events, and what others may ask of it while it goes on."""

from __future__ import annotations

import gc
import pickle
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pixforge
from pixforge.builtin.exporters.video.exporter import Video
from pixforge.errors import InputError, OutputError, RecipeError
from pixforge.media.video import frames
from pixforge.runs.events import Changed, Finished, Looked, Preview, Saved, Started, Step, Warned

TINY = {
    "prompts": ["a red heart"],
    "seed": 3,
    "steps": 6,
    "size": [32, 32],
    "generator": "pixels",
    "init": "noise",
    "cutouts": {"type": "random", "count": 2},
    "augmentations": [],
    "exporters": ["still"],
}


def tiny(**fields):
    return pixforge.load_recipe({**TINY, **fields})


def kinds(events):
    return [type(each) for each in events]


def test_the_events_tell_what_happens():
    events = list(pixforge.start(tiny(checkpoint={"every": 3, "seconds": 0}), "r", previews=0))
    assert [each.step for each in events if isinstance(each, Step)] == list(range(7))
    assert [each.step for each in events if isinstance(each, Saved)] == [3, 6]
    previews = [each for each in events if isinstance(each, Preview)]
    assert [each.step for each in previews] == list(range(7))
    assert previews[0].images[0].size == (32, 32)
    assert kinds(events)[0] is Started
    assert events[0].folder == Path("r")
    assert kinds(events)[-1] is Finished
    assert events[-1].result.files
    assert not events[-1].result.interrupted


def test_a_start_that_takes_seconds_is_seen_before_it_is_done():
    fields = {**TINY, "init": {"type": "tokens", "candidates": 9}, "steps": 0}
    watched = list(pixforge.start(pixforge.load_recipe(fields), "watched", previews=0))
    assert kinds(watched)[:3] == [Preview, Started, Step]
    first = watched[0].images
    assert [each.size for each in first] == [(32, 32)]
    assert len(set(first[0].convert("L").tobytes())) > 20  # a picture, not a plain color
    alone = pixforge.start(pixforge.load_recipe(fields), "alone").wait()
    assert watched[-1].result.images[0].tobytes() == alone.images[0].tobytes()


@pytest.mark.filterwarnings("error")
def test_who_has_seen_enough_of_the_sketch_closes_the_run():
    fields = {**TINY, "init": {"type": "tokens", "candidates": 9}}
    run = pixforge.start(pixforge.load_recipe(fields), "r", previews=0)
    assert isinstance(next(run), Preview)
    run.close()
    del run
    gc.collect()  # an error in the abandoned work would be a warning now
    assert not Path("r").exists()


def test_the_picture_is_that_of_render():
    run = pixforge.start(tiny(), "a")
    assert run.wait().images[0].tobytes() == pixforge.render(tiny(), "b").images[0].tobytes()


def test_nothing_happens_before_it_is_iterated():
    pixforge.start(tiny(), "r")
    assert not Path("r").exists()


def test_stopped_from_another_thread_it_can_be_resumed():
    whole = pixforge.render(tiny(), "whole")
    run = pixforge.start(tiny(), "r")
    for event in run:
        if isinstance(event, Step) and event.step == 3:
            other = threading.Thread(target=run.stop)
            other.start()
            other.join()
    assert run.result.interrupted
    assert run.result.signal is None
    assert run.result.manifest["steps_done"] < 6
    resumed = pixforge.reopen("r").wait()
    assert resumed.images[0].tobytes() == whole.images[0].tobytes()


def test_a_pause_lasts_until_somebody_ends_it():
    run = pixforge.start(tiny(), "r")
    seen = []
    thread = threading.Thread(target=lambda: seen.extend(run))
    run.pause()
    thread.start()
    deadline = time.monotonic() + 60
    while Started not in kinds(seen) and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.3)
    assert run.paused
    assert Finished not in kinds(seen)
    assert max((each.step for each in seen if isinstance(each, Step)), default=0) == 0
    run.proceed()
    thread.join(60)
    assert kinds(seen)[-1] is Finished


def test_a_paused_run_can_be_stopped():
    run = pixforge.start(tiny(), "r")
    run.pause()
    threading.Timer(0.2, run.stop).start()
    assert run.wait().interrupted


def test_changed_while_it_goes_on_it_is_the_branch_that_a_resumed_run_would_be():
    run, events = pixforge.start(tiny(), "r"), []
    for event in run:
        events.append(event)
        if isinstance(event, Step) and event.step == 2:
            run.change({"prompts.0.weight": -1, "optimizer.learning_rate": 0.3})
    (changed,) = [each for each in events if isinstance(each, Changed)]
    assert any("learning_rate" in text for text in changed.changes)
    assert run.result.manifest["lineage"][-1]["step"] == changed.step
    assert pixforge.load_recipe("r/recipe.yaml").optimizer.learning_rate == pixforge.Schedule(0.3)
    steps = [line.split(",")[0] for line in Path("r/metrics.csv").read_text().splitlines()[1:]]
    assert steps == [str(step) for step in range(1, 7)]
    pixforge.start(tiny(steps=changed.step), "until").wait()
    overrides = {"prompts.0.weight": -1, "optimizer.learning_rate": 0.3, "steps": 6}
    branch = pixforge.resume("until", overrides, out="branch")
    # A branch knows that it has 6 steps only from its beginning on; this recipe has nothing that depends on it.
    assert branch.images[0].tobytes() == run.result.images[0].tobytes()


def test_to_look_at_the_cutouts_changes_nothing_and_works_in_a_pause():
    run, looked = pixforge.start(tiny(), "r"), []
    for event in run:
        if isinstance(event, Step) and event.step in {0, 3}:
            run.pause()
            run.look()
        if isinstance(event, Looked):
            looked.append(event)
            run.proceed()
    assert [each.step for each in looked] == [0, 3]
    (size,) = looked[1].cutouts
    assert [each.size for each in looked[1].cutouts[size]] == [(size, size)] * 2
    assert looked[0].cutouts[size][0].tobytes() != looked[1].cutouts[size][0].tobytes()
    assert run.result.images[0].tobytes() == pixforge.render(tiny(), "other").images[0].tobytes()


def test_a_change_of_nothing_writes_a_checkpoint():
    run, events = pixforge.start(tiny(), "r"), []
    for event in run:
        events.append(event)
        if isinstance(event, Step) and event.step == 2:
            run.change({})
    assert [each.step for each in events if isinstance(each, Saved)][:1] == [2]
    assert not [each for each in events if isinstance(each, Changed)]


def test_a_change_that_cannot_be_is_refused_at_once():
    run = pixforge.start(tiny(), "r")
    with pytest.raises(InputError, match="the run has not started"):
        run.change({"steps": 3})
    next(run)
    with pytest.raises(RecipeError, match="learning_rate"):
        run.change({"optimizer.learning_rate": "fast"})
    run.wait()


def test_a_change_that_does_not_fit_the_state_leaves_the_run_as_it_was():
    run, events = pixforge.start(tiny(), "r"), []
    for event in run:
        events.append(event)
        if isinstance(event, Step) and event.step == 2:
            run.change({"size": [48, 48]})
    assert any(isinstance(each, Warned) and "a change is not possible" in each.text for each in events)
    assert run.result.images[0].tobytes() == pixforge.render(tiny(), "other").images[0].tobytes()


FILMED = [{"type": "video", "fps": 10, "seconds": 2, "caption": "{prompt}", "format": "apng"}, "still"]


def changed_at_2(change, folder="r", **fields):
    """A run that is asked for a change after step 2, and what it warned of."""
    run, warnings = pixforge.start(tiny(exporters=FILMED, **fields), folder), []
    for event in run:
        if isinstance(event, Step) and event.step == 2:
            run.change(change)
        if isinstance(event, Warned):
            warnings.append(event.text)
    return run.result, " ".join(warnings)


def same_film(a, b):
    first, second = (list(frames(Path(folder, "progress.png"))) for folder in (a, b))
    return len(first) == len(second) == 20 and all(map(np.array_equal, first, second))


def test_a_change_that_no_exporter_can_be_made_for_leaves_the_film_as_it_was():
    pixforge.render(tiny(exporters=FILMED), "other")
    result, warnings = changed_at_2({"exporters.0.fps": 60, "exporters.0.interpolate": 8})
    assert "480" in warnings or "60 x 8" in warnings
    assert result.manifest["status"] == "finished"
    assert same_film("r", "other")


def test_a_change_that_an_exporter_cannot_go_on_with_leaves_the_run_as_it_was(monkeypatch):
    pixforge.render(tiny(exporters=FILMED), "other")
    resume = Video.resume

    def refuse(self, state, report):
        if self.config.metadata == "none":
            raise InputError("not with that")
        resume(self, state, report)

    monkeypatch.setattr(Video, "resume", refuse)
    change = {"exporters.0.metadata": "none", "optimizer.learning_rate": 0.3}
    result, warnings = changed_at_2(change)
    assert "a change is not possible: not with that; the run goes on as it was" in warnings
    assert result.images[0].tobytes() == Image.open("other/image.png").tobytes()
    assert same_film("r", "other")
    assert "lineage" not in result.manifest
    assert pixforge.resume("r").images[0].tobytes() == result.images[0].tobytes()


def test_a_recipe_that_cannot_be_written_leaves_the_run_as_it_was(monkeypatch):
    pixforge.render(tiny(exporters=FILMED), "other")

    def full(*_):
        raise OutputError("no space")

    run = pixforge.start(tiny(exporters=FILMED), "r")
    for event in run:
        if isinstance(event, Step) and event.step == 2:
            monkeypatch.setattr("pixforge.runs.work.write_recipe", full)
            run.change({"optimizer.learning_rate": 0.3})
    assert run.result.manifest["status"] == "finished"
    assert same_film("r", "other")


def test_a_film_whose_captions_become_longer_begins_anew():
    result, warnings = changed_at_2(
        {"prompts.0.text": "a red heart and a blue heart and a green heart and a sun"}
    )
    assert not warnings
    assert result.manifest["status"] == "finished"
    before, after = (
        list(frames(Path("r", name))) for name in ("progress-until-step-00002.png", "progress.png")
    )
    assert after[0].shape[0] > before[0].shape[0]
    assert len(after) == 20


def test_ctrl_c_before_the_first_step_says_that_nothing_was_made(monkeypatch):
    def interrupted(_recipe, **_):
        raise KeyboardInterrupt

    monkeypatch.setattr("pixforge.engine.build.building", interrupted)
    with pytest.raises(KeyboardInterrupt, match="before the first step; nothing was made"):
        pixforge.render(tiny(), "r")
    assert not Path("r").exists()


def test_a_run_that_is_left_alone_saves_what_it_has():
    with pixforge.start(tiny(), "r") as run:
        for event in run:
            if isinstance(event, Step) and event.step == 2:
                break
    assert Path("r/image.png").exists()
    result = pixforge.resume("r")
    assert result.images[0].tobytes() == pixforge.render(tiny(), "whole").images[0].tobytes()


def test_warnings_are_events_of_the_run_that_they_belong_to():
    long = " ".join(["word"] * 400)
    runs = [
        pixforge.start(tiny(prompts=[text], steps=1), name) for name, text in {"a": long, "b": "x"}.items()
    ]
    found = [[], []]
    threads = [
        threading.Thread(target=seen.extend, args=(run,)) for seen, run in zip(found, runs, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    texts = [[each.text for each in seen if isinstance(each, Warned)] for seen in found]
    assert any("tokens" in text for text in texts[0])
    assert not texts[1]


def test_runs_in_two_threads_do_not_touch_each_other():
    alone = {seed: pixforge.render(tiny(seed=seed), f"alone-{seed}").images[0].tobytes() for seed in (1, 2)}
    results = {}

    def make(seed):
        results[seed] = pixforge.start(tiny(seed=seed), f"both-{seed}").wait().images[0].tobytes()

    threads = [threading.Thread(target=make, args=(seed,)) for seed in alone]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == alone


def test_runs_in_turns_do_not_touch_each_other():
    alone = pixforge.render(tiny(), "alone").images[0].tobytes()
    runs = [pixforge.start(tiny(), "a"), pixforge.start(tiny(seed=9), "b")]
    going = list(runs)
    while going:
        going = [run for run in going if next(run, None) is not None]
    assert runs[0].result.images[0].tobytes() == alone
    assert runs[1].result.images[0].tobytes() != alone


def test_models_are_loaded_once_for_all_runs():
    from pixforge.models.shared import SHARED

    first = pixforge.render(tiny(), "a")
    before = SHARED.loads
    again = pixforge.render(tiny(), "b")
    assert SHARED.loads == before
    assert first.images[0].tobytes() == again.images[0].tobytes()


def render_there(pickled, folder, answers):
    recipe = pickle.loads(pickled)
    answers.put(pickle.dumps(pixforge.render(recipe, folder)))


def test_recipes_travel_to_another_process_and_results_back(tmp_path):
    import multiprocessing

    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "r.yaml").write_text(
        "prompts: [a red heart]\nlosses: [{type: smoothness, weight: 0.1}]\n"
    )
    recipe = pixforge.load_recipe(tmp_path / "here" / "r.yaml", {**TINY, "prompts": ["a blue square"]})
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    process = context.Process(
        target=render_there, args=(pickle.dumps(recipe), str(tmp_path / "there"), answers)
    )
    process.start()
    result = pickle.loads(answers.get(timeout=300))
    process.join()
    assert result.folder == tmp_path / "there"
    assert result.images[0].tobytes() == pixforge.render(recipe, tmp_path / "r").images[0].tobytes()
    assert result.recipe.resolved_yaml() == recipe.resolved_yaml()
