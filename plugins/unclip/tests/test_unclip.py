"""The prompt `prior` and the init `unclip`: the contract, what a user notices, and mistakes."""

import json
import struct
from dataclasses import replace

import pixforge_unclip
import pytest
import torch
from pixforge_unclip.backends import load
from pixforge_unclip.draws import generators
from pixforge_unclip.fitting import fitted
from pixforge_unclip.init import Unclip, UnclipConfig
from pixforge_unclip.prompt import PriorPrompt, PriorPromptConfig
from pydantic import ValidationError
from safetensors.torch import load_file, save_file
from torch.nn import functional

import pixforge
from pixforge.contracts import PromptScorer
from pixforge.errors import InputError, RecipeError, WeightsError
from pixforge.testing import FakeSight, check_component, make_context

MODELS = pixforge_unclip.pixforge_models()


def context_of(canvases=2, seed=0, folder=None, size=(24, 16)):
    return make_context(size, canvases, seed=seed, models=MODELS, folder=folder)


def targets(model, context=None, **fields):
    context = context or context_of()
    prompt = PriorPrompt(PriorPromptConfig(prior="red", model=str(model), steps=2, **fields), context)
    return prompt.targets(FakeSight(context))


def started(model, context=None, scorer=None, **fields):
    """The picture that the generator `pixels` shows after the init."""
    context = context or context_of()
    with torch.no_grad():
        generator = context.component("generator", {"type": "pixels"})
        init = Unclip(UnclipConfig(model=str(model), steps=2, prior_steps=2, **fields), context)
        init.prepare(scorer or PromptScorer(("red",), lambda images: images.mean(dim=(1, 2, 3))))
        init.start(generator)
        return generator.forward(0)


@pytest.mark.parametrize("fields", [{}, {"samples": 1}, {"seed": 3, "guidance": 2.0}])
def test_the_prompt_keeps_the_contract(tiny, fields):
    check_component(PriorPrompt, context_of(), model=str(tiny), steps=2, **fields)


@pytest.mark.parametrize("fields", [{}, {"candidates": 1, "prior": False}, {"text": "blue", "guidance": 1.0}])
def test_the_init_keeps_the_contract(tiny, fields):
    fields = {"candidates": 2, **fields}
    check_component(Unclip, context_of(), model=str(tiny), steps=2, prior_steps=2, **fields)


def test_canvases_have_samples_of_their_own_and_a_seed_is_for_all(tiny):
    both = targets(tiny)
    assert both.shape == (2, 13)
    assert (both[0] @ both[1]) < 0.999
    alone = targets(tiny, context_of(1, seed=1))
    torch.testing.assert_close(alone[0], both[1])
    fixed = targets(tiny, seed=5)
    assert fixed.shape == (13,)
    assert torch.equal(fixed, targets(tiny, context_of(seed=9), seed=5))
    assert not torch.equal(fixed, targets(tiny, seed=6))


def test_more_samples_lead_to_one_mean(tiny):
    """Two targets of a single sample each differ more than two means of 64."""

    def nearness(samples):
        a, b = targets(tiny, samples=samples)
        return float(a @ b)

    assert nearness(64) > nearness(1)


def test_the_init_takes_the_candidate_that_the_perceptors_prefer(tiny):
    def brightness(sign):
        scorer = PromptScorer(("red",), lambda images: sign * images.mean(dim=(1, 2, 3)))
        return float(started(tiny, context_of(1), scorer, candidates=12).mean())

    assert brightness(1) > brightness(-1) + 0.02


def test_a_canvas_starts_as_it_would_alone_and_differently_from_the_others(tiny):
    both = started(tiny, candidates=2)
    assert (both[0] - both[1]).abs().max() > 0.02
    torch.testing.assert_close(started(tiny, context_of(1, seed=1), candidates=2)[0], both[1])


def test_an_upsampler_draws_the_chosen_picture_again_with_more_detail(large):
    """On a canvas of twice the decoder's side there is what no small picture has; a small canvas needs none of it."""
    context = context_of(1, size=(64, 64))
    plain, drawn = (started(large, context, upsample=each) for each in (False, True))

    def detail(pictures):
        return float((fitted(functional.avg_pool2d(pictures, 2), (64, 64)) - pictures).abs().mean())

    assert detail(drawn) > 2 * detail(plain)
    assert torch.equal(drawn, started(large, context))
    little = context_of(1, size=(32, 32))
    assert torch.equal(started(large, little), started(large, little, upsample=False))
    alone = started(large, context_of(1, seed=1, size=(64, 64)), candidates=2)
    torch.testing.assert_close(started(large, context_of(2, size=(64, 64)), candidates=2)[1], alone[0])


@pytest.mark.parametrize("other", ["picture", "embedding"])
def test_an_upsampler_follows_the_picture_and_what_it_shows(large, other):
    """With the same noise, another of the two leads to another picture."""
    backend = load(str(large), context_of(1))
    told = functional.normalize(torch.randn(2, 13, generator=torch.Generator().manual_seed(0)), dim=1)
    pictures = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))

    def drawn(picture, embedding):
        draws = torch.Generator().manual_seed(1)
        return backend.enlarge(pictures[picture : picture + 1], told[embedding : embedding + 1], draws)

    with torch.no_grad():
        first, second = drawn(0, 0), drawn(int(other == "picture"), int(other == "embedding"))
    assert first.shape == (1, 3, 64, 64)
    assert (first - second).abs().mean() > 0.001


def test_the_init_with_an_upsampler_keeps_the_contract(large):
    check_component(Unclip, context_of(size=(48, 40)), model=str(large), candidates=2, steps=2, prior_steps=2)


def test_variations_follow_the_picture(tiny, tmp_path):
    """Told two opposite pictures, with the same noise, it draws two pictures."""
    from PIL import Image

    shown = []
    for name, color in (("red", (255, 0, 0)), ("blue", (0, 0, 255))):
        Image.new("RGB", (20, 20), color).save(tmp_path / f"{name}.png")
        context = context_of(1, folder=tmp_path)
        shown.append(
            started(tiny, context, PromptScorer((), lambda i: i.sum()), image=f"{name}.png", candidates=1)
        )
    assert (shown[0] - shown[1]).abs().max() > 0.02


def drawn_with(model, context, **fields):
    nothing = PromptScorer((), lambda images: images.sum())
    return started(model, context, nothing, candidates=1, guidance=1.0, **fields)


def test_a_way_between_two_texts_begins_and_ends_at_them(tiny):
    """Without the prior, so that nothing but the embedding differs."""
    context = context_of(1)
    ends = {"text": "red", "toward": "blue", "prior": False}
    red, blue = (drawn_with(tiny, context, text=text, prior=False) for text in ("red", "blue"))
    torch.testing.assert_close(drawn_with(tiny, context, **ends, share=0.0), red)
    torch.testing.assert_close(drawn_with(tiny, context, **ends, share=1.0), blue)
    middle = drawn_with(tiny, context, **ends, share=0.5)
    assert min((middle - red).abs().max(), (middle - blue).abs().max()) > 0.01


def test_a_way_between_two_pictures(tiny, tmp_path):
    from PIL import Image

    for name, color in (("red", (255, 0, 0)), ("blue", (0, 0, 255))):
        Image.new("RGB", (20, 20), color).save(tmp_path / f"{name}.png")
    context = context_of(1, folder=tmp_path)
    ends = {"image": "red.png", "toward_image": "blue.png"}
    blue = drawn_with(tiny, context, image="blue.png")
    torch.testing.assert_close(drawn_with(tiny, context, **ends, share=1.0), blue)
    assert (drawn_with(tiny, context, **ends, share=0.0) - blue).abs().max() > 0.01


def test_a_text_difference_moves_by_its_amount(tiny):
    context = context_of(1)
    fields = {"text": "red", "prior": False, "plus": "blue", "minus": "green"}
    plain = drawn_with(tiny, context, text="red", prior=False)
    torch.testing.assert_close(drawn_with(tiny, context, **fields, amount=0.0), plain)
    moved = [
        float((drawn_with(tiny, context, **fields, amount=amount) - plain).abs().mean())
        for amount in (0.2, 0.6)
    ]
    assert 0 < moved[0] < moved[1]


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"text": "a", "image": "b.png"}, "text and image are both given"),
        ({"toward": "a", "toward_image": "b.png"}, "toward and toward_image are both given"),
        ({"share": 1.5}, "share"),
        ({"amount": -1}, "amount"),
        ({"candidates": 0}, "candidates"),
        ({"text": ""}, "text"),
    ],
)
def test_a_wrong_init_is_refused(fields, complaint):
    with pytest.raises(ValidationError, match=complaint):
        UnclipConfig(**fields)


def test_a_wide_picture_is_padded_with_its_border():
    picture = torch.zeros(1, 3, 8, 8)
    picture[..., :4] = 1
    wide = fitted(picture, (24, 8))
    assert wide.shape == (1, 3, 8, 24)
    torch.testing.assert_close(wide[..., :8], torch.ones(1, 3, 8, 8))
    torch.testing.assert_close(wide[..., 16:], torch.zeros(1, 3, 8, 8))


def test_a_wide_picture_is_seen_whole(tiny):
    """Its ends count: FakePerceptor sees the colors of the quarters."""
    from pixforge_unclip.backends import load

    backend = load(str(tiny), context_of(1))
    wide = torch.zeros(1, 3, 8, 32)
    wide[..., :4] = 1
    seen = backend.pictures(wide)
    torch.testing.assert_close(seen, backend.pictures(fitted(wide, (32, 32))))
    assert (seen - backend.pictures(wide[..., 4:])).abs().max() > 0.1


def test_generators_depend_on_the_seed_and_the_purpose():
    def first(context, purpose):
        return [torch.rand(1, generator=each).item() for each in generators(context, purpose)]

    two = first(context_of(2), "a")
    assert two[1:] == first(context_of(1, seed=1), "a")
    assert len({*two, *first(context_of(2), "b")}) == 4


RECIPE = {
    "prompts": [{"prior": "a red heart"}],
    "size": 32,
    "steps": 4,
    "cutouts": {"type": "random", "count": 2},
    "exporters": ["still"],
    "seed": 1,
}


def test_a_run_goes_on_to_the_same_bytes(small, tmp_path):
    prompts = [{"prior": "a red heart", "model": str(small), "steps": 2}, {"text": "a fox", "weight": 0.5}]
    init = {"type": "unclip", "model": str(small), "candidates": 2, "steps": 2}
    recipe = pixforge.load_recipe({**RECIPE, "prompts": prompts, "init": init, "generator": "pixels"})
    whole = pixforge.render(recipe, tmp_path / "whole")
    run = pixforge.start(recipe, tmp_path / "parts")
    for event in run:
        if getattr(getattr(event, "report", None), "step", None) == 2:
            run.stop()
    pixforge.resume(tmp_path / "parts")
    assert (whole.folder / "image.png").read_bytes() == (tmp_path / "parts" / "image.png").read_bytes()
    found = json.loads((whole.folder / "run.json").read_text())["components"]
    assert (
        {"prior.safetensors", "decoder.safetensors"}
        < found["init"]["files"].keys()
        == found["prompt/0-prior"]["files"].keys()
    )


def test_another_perceptor_is_refused_with_what_would_work(small):
    with pytest.raises(InputError, match=r"those of the perceptor 'embedded'.*perceptors: \[embedded\]"):
        targets(small)


def test_without_any_text_it_says_what_to_name(tiny):
    with pytest.raises(InputError, match="name one with `text`, or a picture with `image`"):
        started(tiny, scorer=PromptScorer((), lambda images: images.sum()))


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"prior": " "}, "the text is empty"),
        ({"prior": "a", "samples": 0}, "samples"),
        ({"prior": "a", "samples": 5000}, "samples"),
        ({"prior": "a", "guidance": -1}, "guidance"),
        ({"prior": "a", "model": "nowhere"}, "unknown unclip model 'nowhere'"),
    ],
)
def test_a_wrong_prompt_is_found_before_the_run(fields, complaint):
    recipe = {**RECIPE, "prompts": [fields]}
    with pytest.raises(RecipeError, match=complaint):
        pixforge.load_recipe(recipe)


def change_card(folder, place, value):
    """Write another value at a dotted place of the card."""
    content = json.loads((folder / "unclip.json").read_text())
    *parts, last = place.split(".")
    inner = content
    for part in parts:
        inner = inner[part]
    inner[last] = value
    (folder / "unclip.json").write_text(json.dumps(content))


def cut(folder, _):
    prior = folder / "prior.safetensors"
    prior.write_bytes(prior.read_bytes()[:200])


def not_finite(folder, _):
    prior = folder / "prior.safetensors"
    tensors = load_file(prior)
    tensors["last.bias"][0] = float("nan")
    save_file(tensors, prior)


def remove(folder, name):
    (folder / name).unlink()


def card_of(folder, content):
    (folder / "unclip.json").write_bytes(content)


def prior_of(folder, content):
    (folder / "prior.safetensors").write_bytes(content)


def change(folder, change):
    change_card(folder, *change)


@pytest.mark.parametrize(
    ("spoil", "how", "complaint"),
    [
        (remove, "unclip.json", "has neither unclip.json nor"),
        (remove, "prior.safetensors", r"needs .*prior.safetensors, but there is no such file"),
        (card_of, b"[" * 100_000, "is no JSON"),
        (card_of, b" " * (1 << 20) + b"{}", "larger than a megabyte"),
        (change, ("prior", {"embedding": 13, "width": 16384, "depth": 64}), "does not fit its card"),
        (change, ("decoder.width", 10**9), "decoder.width: input should be less than"),
        (change, ("decoder.side", 5), "decoder.side: input should be a multiple of 2"),
        (change, ("prior.embedding", 12), "must be the same"),
        (change, ("size", 64), "which its generator"),
        (change, ("decoder.guide", 16), "only an upsampler has a guide"),
        (
            change,
            ("upsampler", {"embedding": 13, "channels": 16, "side": 4, "width": 8, "told": 8, "heads": 2}),
            "upsampler must have the decoder's embedding and channels",
        ),
        (change, ("generator", {"type": "nonsense"}), "there is no generator 'nonsense'"),
        (change, ("sha256", {"prior.safetensors": "0" * 64}), "is damaged"),
        (cut, None, "cannot be read"),
        (prior_of, struct.pack("<Q", 1 << 40) + b"{}", "cannot be read"),
        (not_finite, None, "not finite, in last.bias"),
    ],
)
def test_a_damaged_or_hostile_model_gets_one_line(tiny, spoil, how, complaint):
    spoil(tiny, how)
    with pytest.raises(InputError, match=complaint) as caught:
        started(tiny, context_of(1), candidates=1)
    assert "\n" not in str(caught.value)


def test_the_miniature_is_there_or_says_so_in_one_line():
    """In a copy without weights the message names what to do; with them it draws."""
    embedded = MODELS[0]
    try:
        embedded.locate(None)
    except WeightsError as error:
        assert "training/README.md" in str(error)  # noqa: PT017 - both are right
    else:
        shown = started("embedded", replace(context_of(1)), candidates=1)
        assert shown.shape == (1, 3, 16, 24)


def test_a_mean_of_samples_lies_between_them(tiny):
    backend = load(str(tiny), context_of())
    draws = torch.Generator().manual_seed(3)
    singles = backend.embeddings("red", 8, draws, 2, None).view(2, 4, -1)
    means = backend.means("red", 2, 4, torch.Generator().manual_seed(3), 2, None)
    torch.testing.assert_close(means.norm(dim=1), torch.ones(2))
    for mean, parts in zip(means, singles, strict=True):
        wanted = parts.mean(dim=0)
        torch.testing.assert_close(mean, wanted / wanted.norm())
