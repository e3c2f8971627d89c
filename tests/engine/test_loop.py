"""The loop with a perceptor that sees only colors: the picture becomes what the prompts ask for."""

from pathlib import Path

import pytest
import torch
from PIL import Image

import pixforge
from pixforge.engine.bench import Stepper
from pixforge.engine.build import build
from pixforge.errors import ImageError, InputError, PluginError, RunError

PLUGIN = """
import torch
import pixforge
from typing import Literal
from pixforge.testing import pixforge_perceptors


class BombConfig(pixforge.LossConfig):
    type: Literal["bomb"] = "bomb"
    step: int = 3


class Bomb(pixforge.Loss[BombConfig]):
    def forward(self, view):
        return view.image.mean(dim=(1, 2, 3)) * (float("nan") if view.step == self.config.step else 1.0)


class BrokenConfig(pixforge.LossConfig):
    type: Literal["broken"] = "broken"


class Broken(pixforge.Loss[BrokenConfig]):
    def __init__(self, config, context):
        raise KeyError("oops")

    def forward(self, view):
        return view.image.mean(dim=(1, 2, 3))


@pixforge.hookimpl
def pixforge_losses():
    return [Bomb, Broken]
"""


@pytest.fixture
def recipe(tmp_path: Path):
    """Makes recipes of 24x16 pixels on the color perceptor; keyword arguments replace fields."""
    (tmp_path / "fake.py").write_text(PLUGIN)

    def make(**fields):
        base = {
            "prompts": ["red"],
            "seed": 5,
            "size": [24, 16],
            "steps": 30,
            "generator": {"type": "pixels"},
            "perceptors": [{"type": "fake"}],
            "augmentations": [],
            "losses": [],
            "cutouts": {"type": "random", "count": 4},
            "optimizer": {"type": "adam", "learning_rate": 0.2},
            "plugins": [str(tmp_path / "fake.py")],
        }
        return pixforge.load_recipe({**base, **fields})

    return make


def final(recipe) -> torch.Tensor:
    image = None
    for report in pixforge.optimize(recipe):
        image = report.image
    assert image is not None
    return image


def color(image: torch.Tensor) -> list[float]:
    return image[0].mean(dim=(1, 2)).tolist()


@pytest.mark.parametrize("generator", ["pixels", "fourier"])
def test_the_picture_becomes_what_the_prompt_says(recipe, generator):
    red, green, blue = color(final(recipe(generator=generator)))
    assert red > max(green, blue) + 0.25


@pytest.mark.parametrize("weight", [20, -20])
def test_a_loss_has_no_effect_below_its_stop(recipe, weight):
    def made(**fields):
        return final(recipe(steps=3, losses=[{"type": "saturation", "weight": weight, **fields}]))

    free = made(weight=0)
    assert torch.equal(made(stop=1000), free)
    assert not torch.equal(made(stop=-1000), free)


def test_reports_count_the_steps_and_the_losses_fall(recipe):
    reports = list(pixforge.optimize(recipe(losses=[{"type": "smoothness", "weight": 0.1}, "smoothness"])))
    assert [report.step for report in reports] == list(range(1, 31))
    assert set(reports[0].losses) == {"prompt", "smoothness", "smoothness-2", "total"}
    assert reports[-1].losses["prompt"] < 0.2 * reports[0].losses["prompt"]
    first = reports[0].losses
    assert first["total"] == pytest.approx(first["prompt"] + 1.1 * first["smoothness"], rel=1e-4)


def test_a_negative_prompt_pushes_away(recipe):
    away = color(final(recipe(prompts=["red", {"text": "blue", "weight": -1}])))
    both = color(final(recipe(prompts=["red", "blue"])))
    assert away[2] < 0.2
    assert both[2] > 0.5


def test_a_stop_ends_the_pull(recipe):
    slow = {"type": "sgd", "learning_rate": 3.0}
    ends = [
        list(pixforge.optimize(recipe(prompts=[{"text": "red", "stop": stop}], optimizer=slow, steps=80)))[-1]
        for stop in (0.6, None)
    ]
    assert ends[0].losses["prompt"] > ends[1].losses["prompt"] + 0.15


def test_a_picture_is_a_prompt(recipe, tmp_path):
    Image.new("RGB", (30, 20), (0, 0, 255)).save(tmp_path / "blue.png")
    red, green, blue = color(final(recipe(prompts=[{"image": str(tmp_path / "blue.png")}])))
    assert blue > 0.7 > 0.3 > max(red, green)


@pytest.mark.parametrize("generator", ["pixels", "fourier"])
def test_a_run_starts_from_a_picture(recipe, tmp_path, generator):
    Image.new("RGB", (48, 32), (20, 200, 90)).save(tmp_path / "green.png")
    session = build(recipe(generator=generator, init={"type": "image", "image": str(tmp_path / "green.png")}))
    assert color(session.start().image) == pytest.approx([20 / 255, 200 / 255, 90 / 255], abs=0.01)


def solo_runs(recipe, **fields) -> bool:
    """Whether three canvases equal, bit for bit, what their seeds make alone."""
    together = final(recipe(canvases=3, **fields))
    assert (together[0] - together[1]).abs().mean() > 0.01
    return all(torch.equal(together[at], final(recipe(seed=5 + at, **fields))[0]) for at in range(3))


@pytest.mark.parametrize("generator", ["pixels", {"type": "pixels", "levels": 3}, "fourier"])
@pytest.mark.parametrize("count", [3, 7])
def test_canvases_equal_their_solo_runs(recipe, generator, count):
    augmentations = ["affine", "perspective", "color", "noise", "erasing", "flip"]
    cutouts = {"type": "random", "count": count}
    losses = ["smoothness", "saturation"]
    more = {"augmentations": augmentations, "losses": losses, "cutouts": cutouts, "size": [48, 48]}
    assert solo_runs(recipe, generator=generator, **more)


def test_a_network_that_sees_the_cutouts_of_one_canvas_at_a_time_is_exact_too(recipe, tiny_folder):
    perceptors = [{"type": "open_clip", "model": f"local-dir:{tiny_folder}"}]
    fields = {"perceptors": perceptors, "precision": "fp32", "chunk": 4, "steps": 5}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # several split the sums of a batch otherwise than those of one canvas
    try:
        assert solo_runs(recipe, augmentations=["affine", "noise"], **fields)
    finally:
        torch.set_num_threads(threads)


def test_the_canvases_of_a_vqgan_are_close_to_their_solo_runs(recipe):
    fields = {"generator": {"type": "vqgan"}, "init": "noise", "size": [32, 32], "steps": 2}
    together = final(recipe(canvases=2, **fields))
    for index in range(2):
        alone = final(recipe(seed=5 + index, **fields))
        torch.testing.assert_close(together[index], alone[0], atol=1e-4, rtol=0)


def test_the_same_recipe_makes_the_same_bytes_and_another_seed_others(recipe):
    assert torch.equal(final(recipe()), final(recipe()))
    assert not torch.equal(final(recipe()), final(recipe(seed=6)))
    assert torch.equal(final(recipe(seed="a text")), final(recipe(seed="a text")))


def test_a_loss_of_weight_zero_changes_nothing(recipe):
    plain = final(recipe(augmentations=["noise"]))
    watched = final(recipe(augmentations=["noise"], losses=[{"type": "saturation", "weight": 0}]))
    assert torch.equal(plain, watched)


def test_two_runs_at_once_do_not_touch_each_other(recipe):
    alone = final(recipe(steps=6, augmentations=["noise"]))
    first, second = (iter(pixforge.optimize(recipe(steps=6, augmentations=["noise"]))) for _ in range(2))
    image = None
    for report, _ in zip(first, second, strict=True):
        image = report.image
    assert image is not None
    assert torch.equal(image, alone)


def test_perceptors_of_different_sizes_share_the_work_by_weight(recipe):
    two = [{"type": "fake", "input_size": 8}, {"type": "fake", "input_size": 16, "weight": 3}]
    reports = list(pixforge.optimize(recipe(perceptors=two)))
    first = reports[0].losses
    assert first["prompt"] == pytest.approx((first["prompt/fake"] + 3 * first["prompt/fake-2"]) / 4, rel=1e-4)
    assert color(reports[-1].image)[0] > 0.75


@pytest.mark.parametrize("type_", ["adam", "adamw", "nadam", "radam", "adamax", "adagrad", "rmsprop", "sgd"])
def test_every_optimizer_descends(recipe, type_):
    rate = {"sgd": 200.0, "adagrad": 0.5}.get(type_, 0.1)
    reports = list(pixforge.optimize(recipe(optimizer={"type": type_, "learning_rate": rate})))
    assert reports[-1].losses["prompt"] < 0.7 * reports[0].losses["prompt"]


def test_the_learning_rate_follows_its_schedule(recipe):
    schedule = {"0%": 0.2, "100%": 0}
    reports = list(pixforge.optimize(recipe(steps=5, optimizer={"type": "adam", "learning_rate": schedule})))
    assert [report.learning_rate for report in reports] == pytest.approx([0.2, 0.15, 0.1, 0.05, 0])
    assert torch.equal(reports[-1].image, reports[-2].image)


def test_filters_change_what_is_saved_or_only_what_is_seen(recipe):
    gray = final(recipe(filters=["grayscale"], steps=3))
    assert (gray.amax(dim=1) - gray.amin(dim=1)).max() < 1e-5
    rolled = final(recipe(filters=["roll"]))
    assert color(rolled)[0] > 0.75


def test_symmetry_makes_symmetric(recipe):
    image = final(
        recipe(losses=[{"type": "symmetry", "weight": 20}], generator={"type": "pixels", "noise": 1})
    )
    free = final(recipe(generator={"type": "pixels", "noise": 1}))
    error = [float((each - each.flip(-1)).abs().mean()) for each in (image, free)]
    assert error[0] < 0.3 * error[1]


def test_a_loss_that_is_not_a_number_stops_the_run_and_is_named(recipe):
    reports = []
    with pytest.raises(RunError, match=r"step 4: bomb of canvas 0 is not a finite number.*learning_rate"):
        reports.extend(pixforge.optimize(recipe(losses=["bomb"])))
    run = pixforge.optimize(recipe(losses=["bomb"]))
    good = [next(run) for _ in range(3)]
    assert [report.step for report in good] == [1, 2, 3]
    assert good[-1].image.isfinite().all()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_pixel_that_is_not_a_number_stops_the_run(recipe, value, monkeypatch):
    session = build(recipe(canvases=2, generator="pixels"))
    forward = session.generator.forward

    def spoiled(step: int) -> torch.Tensor:
        image = forward(step)
        if step == 2:
            image = image.clone()
            image[1, 2, 3, 4] = value
        return image

    monkeypatch.setattr(session.generator, "forward", spoiled)
    run = session.run()
    next(run)
    with pytest.raises(RunError, match="step 2: the picture of canvas 1 is not a finite number"):
        next(run)


def test_the_benchmark_times_the_optimizer_at_work(recipe):
    stepper = Stepper(build(recipe()))
    stepper.update()
    stepper.update()
    assert stepper._update.state()["adam/0/step"] == 2  # without gradients it would count none


def test_no_steps_shows_the_start(recipe):
    session = build(recipe(steps=0))
    assert list(session.run()) == []
    assert session.start().image.shape == (1, 3, 16, 24)


def test_a_component_that_cannot_be_built_names_its_plugin(recipe):
    with pytest.raises(
        PluginError, match=r"loss 'broken' of plugin 'fake' .*fake.py.* could not be built: KeyError"
    ):
        build(recipe(losses=["broken"]))


def test_missing_pictures_and_devices_are_named(recipe, tmp_path):
    (tmp_path / "text.png").write_text("not a picture")
    with pytest.raises(ImageError, match=r"text\.png"):
        build(recipe(prompts=[{"image": str(tmp_path / "text.png")}]))
    if not torch.cuda.is_available():
        with pytest.raises(InputError, match=r"no cuda:3 here"):
            build(recipe(device="cuda:3"))
