"""The prompt term: distances, weights of either sign, stops, and targets from texts and pictures."""

import math

import pytest
import torch
from PIL import Image

from pixforge.builtin.prompts.image import ImagePrompt, ImagePromptConfig
from pixforge.builtin.prompts.text import TextPrompt, TextPromptConfig
from pixforge.engine.prompts import (
    Prompts,
    distance_of,
    prompt_similarity,
    prompt_term,
    spherical_distance,
    whole_targets,
)
from pixforge.engine.sight import whole
from pixforge.recipe import load_recipe
from pixforge.testing import FakePerceptor, FakePerceptorConfig, make_context


def prompts_of(context, *prompts):
    made = [
        ImagePrompt(ImagePromptConfig(**each), context)
        if "image" in each
        else TextPrompt(TextPromptConfig(**each), context)
        for each in prompts
    ]
    return Prompts(made, context)


def prompt(text=None, **fields):
    return {**fields, **({"text": text} if text else {})}


@pytest.mark.parametrize("degrees", [5, 60, 90, 150])
def test_distance_is_that_of_the_field(degrees):
    x, y = (
        torch.tensor([1.0, 0]),
        torch.tensor([math.cos(math.radians(degrees)), math.sin(math.radians(degrees))]),
    )
    chord = float((x - y).norm())
    assert float(spherical_distance(x @ y)) == pytest.approx(2 * math.asin(chord / 2) ** 2, rel=1e-4)


@pytest.mark.parametrize("cosine", [-1.0, 1.0])
def test_gradient_is_finite_where_vectors_are_equal_or_opposite(cosine):
    value = torch.tensor(cosine, requires_grad=True)
    spherical_distance(value).backward()
    assert value.grad is not None
    assert value.grad.isfinite()


def test_the_gradient_of_the_angle_is_autograds_to_the_bit():
    cosine = torch.linspace(-1.2, 1.2, 1001)
    ours, theirs = (cosine.clone().requires_grad_() for _ in range(2))
    upstream = torch.linspace(-3, 2, 1001)
    (spherical_distance(ours) * upstream).sum().backward()
    limit = 1 - 1e-6
    (theirs.clamp(-limit, limit).acos().square() / 2 * upstream).sum().backward()
    assert torch.equal(ours.grad, theirs.grad)


def test_weights_are_relative_to_their_absolute_sum_and_keep_their_sign():
    cosine = torch.tensor([[[1 / math.sqrt(2), 0.0]]])  # 45 and 90 degrees
    near, far = (math.pi / 4) ** 2 / 2, (math.pi / 2) ** 2 / 2
    term = prompt_term(cosine, torch.tensor([0.75, -0.25]), None)
    assert float(term) == pytest.approx(0.75 * near - 0.25 * far, rel=1e-5)


@pytest.mark.parametrize(
    ("weight", "stop", "moves"), [(1, 0.2, True), (1, 0.4, False), (-1, -0.4, True), (-1, 0, False)]
)
def test_stop_takes_the_gradient_but_not_the_value(weight, stop, moves):
    cosine = torch.tensor([[[1 / math.sqrt(2)]]], requires_grad=True)  # a distance of .308
    term = prompt_term(cosine, torch.tensor([float(weight)]), torch.tensor([float(stop)]))
    term.sum().backward()
    assert float(term.detach()) == pytest.approx(weight * 0.3084, rel=1e-3)
    assert cosine.grad is not None
    assert bool(cosine.grad.abs().sum() > 0) is moves


def test_weights_follow_schedules_and_plus_one_minus_one_is_fine():
    context = make_context(steps=101)
    fade = [prompt("a", weight={"0%": 1, "100%": 0}), prompt("b", weight={"0%": 0, "100%": 1})]
    prompts = prompts_of(context, *fade)
    assert prompts.weights(0).tolist() == [1, 0]
    assert prompts.weights(25).tolist() == pytest.approx([0.75, 0.25])
    opposite = prompts_of(context, prompt("a"), prompt("b", weight=-1))
    assert opposite.weights(0).tolist() == [0.5, -0.5]


def test_a_moment_at_which_all_weights_are_zero_is_no_division_by_zero():
    prompts = prompts_of(make_context(), prompt("a", weight={0: 0, 5: 1}))
    assert prompts.weights(0).tolist() == [0]
    assert prompts.weights(5).tolist() == [1]


def test_text_and_picture_prompts_point_the_same_way(tmp_path):
    Image.new("RGB", (40, 30), (255, 0, 0)).save(tmp_path / "red.png")
    context = make_context(folder=tmp_path)
    perceptor = FakePerceptor(FakePerceptorConfig(), context)
    prompts = prompts_of(context, prompt("red"), prompt(image="red.png"), prompt("blue"))
    targets = whole_targets(perceptor, prompts)
    assert targets.shape == (2, 3, 13)
    cosines = targets[0] @ targets[0].T
    assert cosines[0, 1] > 0.99
    assert cosines[0, 2] < 0.5


def test_similarity_prefers_the_picture_that_was_asked_for():
    context = make_context()
    perceptor = FakePerceptor(FakePerceptorConfig(), context)
    red, blue = torch.tensor([1.0, 0, 0]), torch.tensor([0.0, 0, 1])
    images = torch.stack([red, blue])[:, :, None, None].expand(-1, -1, 20, 30)
    right, wrong = prompt_similarity(perceptor, images, load_recipe({"prompts": ["red"]}), context)
    assert right > 0.99 > 0.5 > wrong


def test_whole_pads_to_a_square_and_keeps_proportions():
    image = torch.zeros(1, 3, 10, 30)
    image[..., 10:20] = 1  # a white square in the middle of a black strip
    square = whole(image, 30)
    assert square.shape == (1, 3, 30, 30)
    torch.testing.assert_close(square[0, 0, 15, 12:18], torch.ones(6), atol=1e-3, rtol=0)
    assert square[0, 0, 15, :8].max() < 0.1


@pytest.mark.parametrize(
    ("similarity", "at_60_degrees"),
    [
        ("spherical", (math.pi / 3) ** 2 / 2),
        ("cosine", 0.5),
        ("angular", 2 / 3),
        ("mixed", 0.5 + (math.pi / 3) ** 2 / 8),
    ],
)
def test_similarities_are_distances_from_the_cosine(similarity, at_60_degrees):
    cosine = torch.tensor([0.5, 1.0, -1.0], requires_grad=True)
    found = distance_of(cosine, similarity)
    assert float(found[0].detach()) == pytest.approx(at_60_degrees, rel=1e-4)
    assert float(found[1].detach()) == pytest.approx(0, abs=2e-3)
    assert found[2] > found[0]
    found.sum().backward()
    assert cosine.grad.isfinite().all()
    assert (cosine.grad[:1] < 0).all()
