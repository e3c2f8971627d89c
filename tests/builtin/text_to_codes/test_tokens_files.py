"""The files of a text-to-codes model are read, or refused with a one-line error."""

import dataclasses
import json
import math
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_tokens import SHAPE, random_model, write_model

from pixforge.builtin.inits.text_to_codes.load import load_tokens
from pixforge.builtin.inits.text_to_codes.model import find_tokens
from pixforge.builtin.models import builtin_catalog
from pixforge.errors import WeightsError
from pixforge.nn.code_sampling import Choice


@pytest.fixture
def card(tmp_path):
    return write_model(tmp_path)


def change(card, **fields):
    card.write_text(json.dumps(json.loads(card.read_text()) | fields))


def load(card):
    return load_tokens(find_tokens(builtin_catalog(), card.name, card.parent), builtin_catalog())


def test_a_model_is_read_as_it_was_written(card):
    model = load(card)
    assert model.shape == SHAPE
    written = random_model().state_dict()
    assert all(torch.equal(each, written[name]) for name, each in model.transformer.state_dict().items())
    assert not any(each.requires_grad for each in model.transformer.parameters())
    pictures = model.decode(torch.zeros(2, 3, 3, dtype=torch.long))
    assert pictures.shape == (2, 3, 12, 12)
    assert pictures.min() >= 0
    assert pictures.max() <= 1


def test_texts_become_tokens_and_an_empty_one_nothing(card):
    model = load(card)
    assert model.tokens("").tolist() == [[0] * 4]
    assert model.tokens("ab").shape == (1, 4)
    assert not torch.equal(model.tokens("ab"), model.tokens("ba"))


def test_the_likelihood_of_codes_is_the_mean_logarithm_of_their_probabilities(tmp_path):
    transformer = random_model()
    with torch.no_grad():
        for each in transformer.parameters():
            each.zero_()
        transformer.bias[5] = torch.log(torch.tensor(3.0))  # three times as probable as the other 31: 3/34
    write_model(tmp_path, transformer)
    model = load_tokens(find_tokens(builtin_catalog(), "tokens.json", tmp_path), builtin_catalog())
    codes = torch.zeros(2, 3, 3, dtype=torch.long)
    codes[1, 0] = 5
    found = model.log_likelihood("ab", codes)
    assert found.tolist() == pytest.approx(
        [math.log(1 / 34), (3 * math.log(3 / 34) + 6 * math.log(1 / 34)) / 9]
    )


def test_the_codes_of_a_picture_are_those_it_was_decoded_from_or_nearly(card):
    model = load(card)
    picture = torch.rand(1, 3, 24, 36, generator=torch.Generator().manual_seed(0))
    codes = model.codes_of(picture)
    assert model.size == (12, 12)
    assert codes.shape == (1, 3, 3)
    assert torch.equal(codes, model.codes_of(picture[..., 6:30])), "the middle of a wide picture"


def test_the_embedded_model_is_whole():
    model = load_tokens(find_tokens(builtin_catalog(), "embedded", Path()), builtin_catalog())
    assert model.shape.codes == len(model.vqgan.quantize.codebook)
    files = find_tokens(builtin_catalog(), "embedded", Path())
    assert files.card.sha256 == model.sha256
    assert files.card.vqgan_sha256 is not None
    assert files.weights.stat().st_size <= 12_000_000


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"shape": {"rows": 3}}, "shape.text_vocabulary: field required"),
        ({"colour": 1}, "colour: extra"),
        ({"vqgan": "other.safetensors"}, "other"),
        ({"sha256": "0" * 64}, "tokens.safetensors is damaged"),
        ({"vqgan_sha256": "0" * 64}, "of another VQGAN"),
        ({"tokenizer": {"merges": "../merges.txt.gz", "context_length": 4}}, "name of a file beside it"),
        ({"tokenizer": {"merges": "none.txt.gz", "context_length": 4}}, "there is no such file"),
        ({"tokenizer": {"merges": "merges.txt.gz", "context_length": 5}}, "more than shape.text_length"),
    ],
)
def test_a_wrong_card_is_one_line(card, changes, message):
    change(card, **changes)
    with pytest.raises(WeightsError) as caught:
        load(card)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ({"codes": 33}, "33 codes, but"),
        ({"layers": 10**9}, "shape.layers: input should be less than"),
        ({"heads": 3}, "multiple of shape.heads"),
        ({"text_vocabulary": 100}, "text tokens"),
        ({"width": "32"}, "shape.width: input should be a valid integer"),
        ({"layers": 1}, "blocks.1"),
    ],
)
def test_a_wrong_shape_is_one_line(card, shape, message):
    content = json.loads(card.read_text())
    change(card, shape=content["shape"] | shape)
    with pytest.raises(WeightsError) as caught:
        load(card)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"\xff\x00", b"[" * 100_000, b"[]", b"null", b" " * (2 << 20)])
def test_what_is_no_card_is_one_line(card, content):
    card.write_bytes(content)
    with pytest.raises(WeightsError):
        find_tokens(builtin_catalog(), card.name, card.parent)


def test_weights_that_are_not_finite_are_refused(card):
    state = load_file(card.with_suffix(".safetensors"))
    state["bias"][3] = torch.nan
    save_file(state, card.with_suffix(".safetensors"))
    change(card, sha256=None)
    with pytest.raises(WeightsError, match="not finite, in bias"):
        load(card)


def test_damaged_merges_are_named(card):
    (card.parent / "merges.txt.gz").write_bytes(b"no gzip")
    with pytest.raises(WeightsError, match="no gzipped list of merges"):
        load(card)


def test_an_unknown_name_says_where_to_look(tmp_path):
    with pytest.raises(WeightsError, match=r"unknown tokens model 'dalle'.*pixforge models"):
        find_tokens(builtin_catalog(), "dalle", tmp_path)
    with pytest.raises(WeightsError, match=r"x\.json cannot be read"):
        find_tokens(builtin_catalog(), "x.json", tmp_path)


@pytest.fixture
def told(tmp_path, tiny_folder):
    """A model that also reads a tiny CLIP's embedding of the text."""
    shape = dataclasses.replace(SHAPE, sentence=24)
    perceptor = {"model": f"local-dir:{tiny_folder}"}
    return write_model(tmp_path, random_model(shape), shape=dataclasses.asdict(shape), perceptor=perceptor)


def test_a_perceptor_embeds_the_text(told):
    model = load(told)
    assert model.sentence("ab").norm() == pytest.approx(1, abs=1e-5)
    assert not model.sentence("").any()
    # The tokens of both are the same, cut off after four: only the perceptor tells them apart.
    texts = ("a a a a the red", "a a a a red the")
    assert torch.equal(*map(model.tokens, texts))
    logits = [
        model.transformer(model.tokens(t), torch.zeros(1, 1, dtype=torch.long), model.sentence(t))
        for t in texts
    ]
    assert not torch.allclose(*logits)
    uniform = torch.rand(64, 9, generator=torch.Generator().manual_seed(0))
    # Random weights hardly listen: guidance makes them.
    drawn = [model.sample(text, uniform, Choice(1.0, None, None), 1000.0) for text in texts]
    assert not torch.equal(*drawn)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"perceptor": None}, "go together"),
        ({"shape": {"sentence": 23}}, "sentence.weight is"),
        ({"perceptor": {"sha256": "0" * 64}}, "another perceptor than"),
        ({"perceptor": {"model": "local-dir:none"}}, "none"),
    ],
)
def test_a_perceptor_that_does_not_fit_is_one_line(told, changes, message):
    content = json.loads(told.read_text())
    change(told, **{k: content[k] | v if v else v for k, v in changes.items()})
    with pytest.raises(WeightsError) as caught:
        load(told)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_perceptor_with_embeddings_of_another_length_is_one_line(tmp_path, tiny_folder):
    shape = dataclasses.replace(SHAPE, sentence=23)
    perceptor = {"model": f"local-dir:{tiny_folder}"}
    card = write_model(tmp_path, random_model(shape), shape=dataclasses.asdict(shape), perceptor=perceptor)
    with pytest.raises(WeightsError, match=r"^\S+: shape.sentence is 23, but local-dir:\S+ has 24 numbers$"):
        load(card)
