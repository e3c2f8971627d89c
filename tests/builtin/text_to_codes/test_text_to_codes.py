"""The text-to-codes transformer learns, samples what it has learned, and guidance strengthens the text."""

from dataclasses import replace

import pytest
import torch
from tiny_tokens import SHAPE, random_model

from pixforge.builtin.inits.text_to_codes.sample import Reader, sample
from pixforge.builtin.inits.text_to_codes.transformer import Shape, TextToCodes
from pixforge.nn.code_sampling import Choice

PLAIN = Choice(temperature=1.0, top_k=None, top_p=None)
SMALL = Shape(text_vocabulary=5, text_length=2, codes=6, rows=3, columns=4, width=32, layers=2, heads=2)
STRIPES = torch.tensor([[0, 1, 0, 1]] * 3)
LINES = torch.tensor([[2] * 4, [3] * 4, [2] * 4])
TEXTS = torch.tensor([[1, 2], [3, 2]])


@pytest.fixture(scope="module")
def trained() -> TextToCodes:
    """A model trained on two texts, each with its own pattern; without a text, it learned both patterns."""
    model = random_model(SMALL).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    codes = torch.stack([STRIPES, LINES]).flatten(1)
    texts = torch.cat([TEXTS, torch.zeros_like(TEXTS)])
    for _ in range(120):
        logits = model(texts, codes.repeat(2, 1))
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), codes.repeat(2, 1).flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model.eval()


def draw(model, text, count=16, choice=PLAIN, guidance=1.0, seed=0):
    uniform = torch.rand(count, model.shape.count, generator=torch.Generator().manual_seed(seed))
    return sample(model, text.expand(count, -1), uniform, choice, guidance)


@pytest.mark.parametrize(("text", "pattern"), [(TEXTS[:1], STRIPES), (TEXTS[1:], LINES)])
def test_two_patterns_are_learnt_and_sampled_back(trained, text, pattern):
    drawn = draw(trained, text, guidance=2.0)
    assert drawn.shape == (16, 3, 4)
    assert (drawn == pattern).all(dim=(1, 2)).float().mean() >= 0.8
    assert torch.equal(draw(trained, text, 1, Choice(0.0, None, None), 2.0)[0], pattern)


def test_without_a_text_both_patterns_come(trained):
    drawn = draw(trained, torch.zeros(1, 2, dtype=torch.long), 40)
    shares = [(drawn == each).all(dim=(1, 2)).float().mean() for each in (STRIPES, LINES)]
    assert min(shares) > 0.15
    assert sum(shares) > 0.7


def test_guidance_zero_ignores_the_text_and_more_insists_on_it(trained):
    ignored = [draw(trained, text, guidance=0.0) for text in (TEXTS[:1], TEXTS[1:])]
    assert torch.equal(*ignored)
    hot = Choice(temperature=2.0, top_k=None, top_p=None)
    right = [
        float((draw(trained, TEXTS[:1], 64, hot, guidance) == STRIPES).float().mean())
        for guidance in (1.0, 4.0)
    ]
    assert right[1] > right[0] + 0.05


def test_reading_in_pieces_equals_the_whole_pass():
    model = random_model()
    text = torch.randint(1, 500, (2, SHAPE.text_length))
    codes = torch.randint(0, SHAPE.codes, (2, SHAPE.count))
    whole = model(text, codes)
    reader = Reader(model, 2)
    pieces = [reader.read(model.text_stream(text))]
    pieces += [reader.read(model.code_stream(codes[:, i : i + 1], i)) for i in range(SHAPE.count - 1)]
    torch.testing.assert_close(torch.stack(pieces, dim=1), whole, atol=1e-5, rtol=1e-5)


def test_a_code_sees_what_is_before_it_and_nothing_after_it():
    model = random_model()
    text = torch.randint(1, 500, (1, SHAPE.text_length))
    codes = torch.randint(0, SHAPE.codes, (1, SHAPE.count))
    changed = codes.clone()
    changed[0, 4] = (changed[0, 4] + 1) % SHAPE.codes
    before, after = model(text, codes), model(text, changed)
    assert torch.equal(before[:, :5], after[:, :5])
    assert not torch.allclose(before[:, 5:], after[:, 5:])
    other = model(text.flip(1), codes)
    assert not torch.allclose(other[:, 0], before[:, 0])


def test_top_k_of_one_leaves_no_choice():
    model, text = random_model(), torch.ones(1, SHAPE.text_length, dtype=torch.long)
    one = Choice(temperature=1.0, top_k=1, top_p=None)
    assert torch.equal(draw(model, text, 3, one, seed=1), draw(model, text, 3, one, seed=2))


def test_the_embedding_of_the_text_alone_can_tell_what_to_draw():
    """Both have the same words, and differ only in their embedding."""
    model = random_model(replace(SMALL, sentence=3)).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    codes = torch.stack([STRIPES, LINES]).flatten(1)
    words, meanings = TEXTS[:1].expand(2, -1), torch.eye(3)[:2]
    for _ in range(120):
        loss = torch.nn.functional.cross_entropy(model(words, codes, meanings).flatten(0, 1), codes.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    first = Choice(0.0, None, None)
    drawn = sample(model.eval(), words, torch.zeros(2, 12), first, guidance=2.0, sentence=meanings)
    assert torch.equal(drawn, torch.stack([STRIPES, LINES]))


def test_a_text_that_is_the_same_for_all_is_read_once_and_draws_the_same():
    model = random_model(replace(SMALL, sentence=3))
    text, meaning = TEXTS[:1], torch.randn(1, 3, generator=torch.Generator().manual_seed(2))
    uniform = torch.rand(7, SMALL.count, generator=torch.Generator().manual_seed(1))
    hot = Choice(temperature=3.0, top_k=None, top_p=None)
    each = sample(model, text.expand(7, -1), uniform, hot, 2.0, meaning.expand(7, -1))
    once = sample(model, text, uniform, hot, 2.0, meaning)
    assert torch.equal(once, each)
    assert len(once.flatten(1).unique(dim=0)) == 7


def test_drawing_in_bf16_gives_nearly_the_same_codes(trained):
    half = TextToCodes(SMALL)
    half.load_state_dict(trained.state_dict())
    half = half.to(torch.bfloat16).eval()
    same = draw(half, TEXTS[:1], 64, guidance=2.0) == draw(trained, TEXTS[:1], 64, guidance=2.0)
    assert same.float().mean() > 0.9


def test_a_given_beginning_stays_and_the_rest_follows_from_it(trained):
    nothing = torch.zeros(1, 2, dtype=torch.long)
    uniform = torch.rand(8, 12, generator=torch.Generator().manual_seed(3))
    for pattern in (STRIPES, LINES):
        drawn = sample(trained, nothing, uniform, PLAIN, begun=pattern.flatten()[:4])
        assert torch.equal(drawn[:, 0], pattern[:1].expand(8, -1))
        assert (drawn == pattern).all(dim=(1, 2)).float().mean() >= 0.7
    whole = sample(trained, nothing, uniform, PLAIN, begun=LINES.flatten())
    assert torch.equal(whole, LINES.expand(8, -1, -1))


@pytest.mark.parametrize("guidance", [1.0, 2.0])
def test_a_picture_goes_on_as_it_would_have(trained, guidance):
    uniform = torch.rand(1, 12, generator=torch.Generator().manual_seed(1))
    hot = Choice(temperature=3.0, top_k=None, top_p=None)
    drawn = sample(trained, TEXTS[:1], uniform, hot, guidance)
    for kept in (1, 5, 11):
        begun = drawn.flatten()[:kept]
        assert torch.equal(sample(trained, TEXTS[:1], uniform, hot, guidance, begun=begun), drawn)
