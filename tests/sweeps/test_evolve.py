"""`pixforge evolve`: generations, parents and children."""

import hashlib
import re
from pathlib import Path

import pytest
from test_sweep import rows

import pixforge
from pixforge.sweeps.carry import gathered
from pixforge.sweeps.evolve import begin, next_generation, read_evolution
from pixforge.sweeps.plan import Plan as Sweep
from pixforge.sweeps.plan import PlanAxis, Planned, read_plan

RATES = ("--set", "optimizer.learning_rate=0.01..0.1:4", "--set", "generator.type=pixels,fourier")


def plan(rates=5, kinds=2):
    axes = (
        PlanAxis(paths=("rate",), texts=tuple((str(number),) for number in range(rates))),
        PlanAxis(paths=("kind",), texts=tuple((word,) for word in "abc"[:kinds])),
    )
    places = [(rate, kind) for rate in range(rates) for kind in range(kinds)]
    runs = [
        Planned(name=f"{index + 1:04d}", place=place, recipe={"seed": 7})
        for index, place in enumerate(places)
    ]
    return Sweep(title="t", axes=axes, runs=tuple(runs))


def test_the_first_generation_has_other_settings_and_seeds_of_its_own():
    evolution, first = begin(plan(), population=6, parents=2, mutation=0.5)
    assert len({run.place[:-1] for run in first.runs}) == 6
    assert [run.recipe["seed"] for run in first.runs] == [7, 8, 9, 10, 11, 12]
    assert first.settings(first.runs[1])["seed"] == "8"
    assert evolution.generation == 1


def test_without_mutation_children_have_what_their_parents_have(tmp_path):
    evolution, first = begin(plan(), population=6, parents=2, mutation=0)
    _, second = next_generation(tmp_path, evolution, first, ["0001", "0002"])
    one, other = (first.runs[index].place[:-1] for index in (0, 1))
    children = second.runs[6:]
    assert len(children) == 6
    assert all(
        each in pair for run in children for each, *pair in zip(run.place[:-1], one, other, strict=True)
    )
    assert len({(run.place[:-1], run.recipe["seed"]) for run in second.runs}) == 12
    assert all(re.match(r"generation 2: of 000[12]", run.origin) for run in children)


def test_a_number_changes_to_its_neighbour(tmp_path):
    evolution, first = begin(plan(rates=9, kinds=1), population=2, parents=1, mutation=1)
    _, second = next_generation(tmp_path, evolution, first, ["0001"])
    start = first.runs[0].place[0]
    assert {abs(run.place[0] - start) for run in second.runs[2:]} == {1}
    assert f"rate {start} to " in second.runs[2].origin


def crossed(folder, first, evolution, *names):
    """The runs of the next generation, where these runs are finished and left checkpoints."""
    for name in names:
        (folder / "runs" / name).mkdir(parents=True, exist_ok=True)
        (folder / "runs" / name / "checkpoint.safetensors").touch()
        (folder / "runs" / name / "run.json").write_text('{"status": "finished"}')
    return next_generation(folder, evolution, first, ["0001", "0002"])[1].runs[6:]


def test_children_of_two_begin_between_their_pictures(tmp_path):
    evolution, first = begin(plan(kinds=1), population=6, parents=2, mutation=0, cross=1)
    children = crossed(tmp_path, first, evolution, "0001", "0002")
    two = [run for run in children if "0001 and 0002" in run.origin or "0002 and 0001" in run.origin]
    assert two
    for run in two:
        init = run.recipe["init"]
        assert init["type"] == "run"
        assert 0.3 <= init["share"] <= 0.7
        assert {init["checkpoint"], init["other"]} == {
            str(tmp_path / "runs" / name / "checkpoint.safetensors") for name in ("0001", "0002")
        }
        assert f"begun between their pictures, at {init['share']}" in run.origin
        empty = hashlib.sha256().hexdigest()
        assert run.recipe["files"] == {init["checkpoint"]: empty, init["other"]: empty}
    assert all("init" not in run.recipe for run in children if run not in two)


def test_only_latents_that_fit_each_other_are_crossed(tmp_path):
    evolution, first = begin(plan(kinds=1), population=6, parents=2, mutation=0, cross=1)
    assert all("init" not in run.recipe for run in crossed(tmp_path, first, evolution, "0001"))
    children = crossed(tmp_path, first, evolution, "0001", "0002")
    assert any("init" in run.recipe for run in children)
    (tmp_path / "runs" / "0002" / "run.json").write_text('{"status": "interrupted"}')
    assert all("init" not in run.recipe for run in crossed(tmp_path, first, evolution, "0001"))
    other = first.runs[1].model_copy(update={"recipe": {"seed": 8, "size": [64, 64]}})
    first = first.model_copy(update={"runs": (first.runs[0], other, *first.runs[2:])})
    assert all("init" not in run.recipe for run in crossed(tmp_path, first, evolution, "0001", "0002"))


def test_a_crossed_child_is_made(cli, work):
    arguments = ("--population", "3", "--parents", "2", "--generations", "2", "--cross", "1", "-o", "made")
    rates = ("--set", "optimizer.learning_rate=0.01..0.1:4")
    assert cli("evolve", "red.yaml", *rates, *arguments)[0] == 0
    made = read_plan(work / "made")
    begun = [run for run in made.runs if "begun between" in (run.origin or "")]
    assert begun
    recipe = pixforge.load_recipe(work / f"made/runs/{begun[0].name}/recipe.yaml")
    assert (recipe.init.type, recipe.init.other is not None) == ("run", True)
    sent, files = gathered(begun[0].recipe, work / "made")
    parents = [sent["init"][name] for name in ("checkpoint", "other")]
    assert set(parents) <= set(map(str, files))  # they travel to other machines
    assert all(Path(each).parent == work / "made" / "files" for each in parents)
    assert all(row["status"] == "finished" for row in rows(work / "made"))


def test_children_of_the_best(cli, work):
    arguments = ("--population", "3", "--parents", "1", "--generations", "2", "-o", "made")
    status, _, err = cli("evolve", "red.yaml", *RATES, *arguments)
    assert status == 0
    assert err.count("generation ") == 2
    found = rows(work / "made")
    assert len(found) == 6
    best = max(found[:3], key=lambda row: float(row["held_out_score"]))["run"]
    made = read_plan(work / "made")
    assert all(f"of {best}" in run.origin for run in made.runs[3:])
    child = pixforge.load_recipe(work / "made/runs/0005/recipe.yaml")
    assert child.based_on == [made.runs[4].origin]
    assert made.runs[4].origin in (work / "made/report.html").read_text()


def test_children_of_those_that_the_user_chose(cli, work):
    arguments = ("--population", "2", "--parents", "1", "--generations", "1", "-o", "made", "--quiet")
    assert cli("evolve", "red.yaml", *RATES, *arguments)[0] == 0
    assert cli("evolve", "next", "made", "--choose", "0002", "--quiet")[0] == 0
    made = read_plan(work / "made")
    assert [run.origin.startswith("generation 2: of 0002") for run in made.runs[2:]] == [True, True]
    assert read_evolution(work / "made").generation == 2
    status, _, err = cli("evolve", "next", "made", "--choose", "0009")
    assert (status, err) == (2, "pixforge: --choose: there is no run 0009 (runs: 0001 to 0004)\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--set", "seed=1,2"], "evolve: seeds are varied by evolution itself"),
        (["--population", "1"], "--population: 1 is not in the range 2<=x<=1000"),
        (["--parents", "99"], "--parents: is more than there are runs"),
        (["--set", "stepps=1,2"], "stepps: a recipe has no field 'stepps'. Did you mean 'steps'?"),
    ],
)
def test_one_clear_line(arguments, message, cli, work):
    status, _, err = cli("evolve", "red.yaml", *arguments, "-o", "made")
    assert status == 2
    assert message in err
    assert err.count("\n") == 1
    assert not (work / "made").exists()


def test_a_folder_without_an_evolution(cli, work):
    status, _, err = cli("evolve", "next", ".")
    assert (status, err) == (2, "pixforge: .: holds no evolution; `pixforge evolve RECIPE -o .` begins one\n")
