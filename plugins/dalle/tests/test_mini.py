"""DALL-E mini: the numbers of min-dalle's own networks, pictures for `init: tokens`, and files that do not fit."""

import json
import math

import pytest
import torch
from pixforge_dalle.mini.models import MiniFolders, published
from pixforge_dalle.mini.pictures import CodePictures
from pixforge_dalle.mini.tokenizer import read_tokenizer
from pixforge_dalle.mini.transformer import CodeDecoder, Reader, Shape, TextEncoder

import pixforge
from pixforge.errors import UnsupportedError, WeightsError
from pixforge.testing import check_model, make_context

ENCODER = Shape(tokens=12, length=8, width=128, middle=96, layers=2)
CODES = 16
DECODER = Shape(tokens=CODES + 1, length=9, width=128, middle=96, layers=2)
PICTURES = {
    "ch": 32, "out_ch": 3, "ch_mult": (1, 2), "num_res_blocks": 1, "in_channels": 3, "attn_resolutions": [1],
    "resolution": 2, "z_channels": 32,
}  # fmt: skip
WORDS = ["<s>", "<pad>", "</s>", "<unk>", "a", "b", "\u0120", "\u0120a", "\u0120ab", "ab"]
MERGES = "#version\n\u0120 a\n\u0120a b\na b\n"


def scrambled(network):
    """Random weights, with which the text matters much."""
    torch.manual_seed(0)
    for name, each in network.named_parameters():
        each.data.normal_(std=0.3 if each.dim() < 4 else 0.1)
        if name.endswith("encoder_attn_layer_norm.weight"):
            each.data.mul_(20)
    return network.eval()


def likeliest(logits, uniform):
    """The choice that always takes the most probable code."""
    return logits.argmax(dim=-1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A tiny model: three networks of random weights, as min-dalle saves them, and a vocabulary."""
    place = tmp_path_factory.mktemp("mini")
    networks = TextEncoder(ENCODER), CodeDecoder(DECODER), CodePictures(PICTURES, CODES)
    for name, network in zip(("encoder", "decoder", "detoker"), networks, strict=True):
        torch.save(scrambled(network).state_dict(), place / f"{name}.pt")
    (place / "vocab.json").write_text(json.dumps({word: number for number, word in enumerate(WORDS)}))
    (place / "merges.txt").write_text(MERGES, "utf-8")
    return place


def painter_of(folder):
    model = MiniFolders().find(str(folder), folder)
    context = make_context(models=[MiniFolders()])
    return model.load(context.model_files(str(folder), "tokens"), context.device, context.dtype)


def test_words_become_subwords(folder):
    tokenizer = read_tokenizer(folder / "vocab.json", folder / "merges.txt", 12)
    assert tokenizer("") == [0, 2]
    assert tokenizer("AB") == [0, 8, 2], "joined twice, lower case"
    assert tokenizer("b  ba") == [0, 6, 5, 6, 5, 4, 2]
    assert tokenizer("a\u00e9") == tokenizer("a"), "not ASCII"
    assert tokenizer("ax") == [0, 7, 3, 2]


@pytest.fixture
def theirs():
    """The networks of the package min-dalle, whose import switches gradients off."""
    before = torch.is_grad_enabled(), torch.get_num_threads()
    package = pytest.importorskip("min_dalle.models")
    torch.set_grad_enabled(before[0])
    torch.set_num_threads(before[1])
    return package


def test_min_dalle_gives_the_same_numbers(theirs):
    sizes = {
        "attention_head_count": 2,
        "embed_count": 128,
        "glu_embed_count": 96,
        "layer_count": 2,
        "device": "cpu",
    }
    length = 256  # which is fixed there
    encoder, decoder = TextEncoder(ENCODER), CodeDecoder(Shape(CODES + 1, length, 128, 96, 2))
    their_encoder = theirs.DalleBartEncoder(text_vocab_count=12, text_token_count=8, **sizes)
    their_decoder = theirs.DalleBartDecoder(image_vocab_count=CODES, **sizes)
    their_encoder.load_state_dict(scrambled(encoder).state_dict())
    their_decoder.load_state_dict(scrambled(decoder).state_dict())
    tokens = torch.tensor([[0, 2, 1, 1, 1, 1, 1, 1], [0, 7, 4, 5, 2, 1, 1, 1]])
    codes = torch.randint(CODES, (1, 5))
    with torch.no_grad():
        told = encoder(tokens)
        torch.testing.assert_close(told, their_encoder(tokens), atol=1e-5, rtol=1e-5)
        logits = Reader(decoder, told, tokens != 1).read(codes.expand(2, -1))
        state = torch.zeros(2, 4, length, 128)
        mask = (tokens != 1)[:, None, None, :]
        for place in range(codes.shape[1]):
            wanted, state = their_decoder(mask, told, state, codes[:, [place]], torch.tensor([place]))
            torch.testing.assert_close(logits[:, place], wanted[:, -1], atol=1e-4, rtol=1e-4)


def test_the_picture_decoder_of_min_dalle_gives_the_same_numbers(theirs):
    package = theirs.VQGanDetokenizer().eval()
    published = {
        "ch": 128, "ch_mult": (1, 1, 2, 2, 4), "num_res_blocks": 2, "resolution": 256, "attn_resolutions": [16],
        "z_channels": 256,
    }  # fmt: skip
    ours = CodePictures(PICTURES | published, 2**14)
    ours.load_state_dict(package.state_dict())
    codes = torch.randint(2**14, (1, 256))
    with torch.no_grad():
        wanted = package(is_seamless=False, z=codes)[None].permute(0, 3, 1, 2) / 255
        # min-dalle normalizes with torch's epsilon of 1e-5; that of the published VQGAN, and ours, is 1e-6.
        torch.testing.assert_close(ours.eval()(codes.view(1, 16, 16)), wanted, atol=1e-3, rtol=0)


def test_reading_in_pieces_equals_reading_at_once(folder):
    painter = painter_of(folder)
    tokens = torch.randint(CODES, (3, 9))
    with torch.no_grad():
        whole = painter._told(["ab"], 3).read(tokens)
        reader = painter._told(["ab"], 3)
        pieces = [reader.read(part) for part in (tokens[:, :4], tokens[:, 4:5], tokens[:, 5:])]
    torch.testing.assert_close(torch.cat(pieces, dim=1), whole, atol=1e-4, rtol=1e-4)


def test_codes_and_pictures_for_a_text(folder):
    painter, uniform = painter_of(folder), torch.rand(2, 9)
    codes = painter.sample("ab a", uniform, likeliest, 2.0)
    assert painter.grid == (3, 3)
    assert codes.shape == (2, 3, 3)
    assert int(codes.max()) < CODES
    pictures = painter.decode(codes)
    assert pictures.shape == (2, 3, 6, 6)
    assert 0 <= float(pictures.min()) <= float(pictures.max()) <= 1
    again = painter.sample("ab a", uniform, likeliest, 2.0, codes[0].flatten()[:4])
    assert torch.equal(again, codes), "the most probable codes follow from their beginning"
    assert not torch.equal(painter.sample("b b", uniform, likeliest, 8.0), codes)
    untold = [
        painter.sample(text, uniform, likeliest, guidance) for text, guidance in (("b", 0.0), ("", 1.0))
    ]
    assert torch.equal(*untold)
    with pytest.raises(UnsupportedError, match="without an encoder"):
        painter.codes_of(pictures)


def test_the_likelihood_is_the_mean_over_the_codes(folder):
    painter = painter_of(folder)
    codes = torch.randint(CODES, (2, 3, 3))
    alone = [painter.log_likelihood("ab", each[None]) for each in codes]
    torch.testing.assert_close(painter.log_likelihood("ab", codes), torch.cat(alone), atol=1e-5, rtol=1e-5)
    with torch.no_grad():
        for each in painter.decoder.parameters():
            each.zero_()
    assert painter.log_likelihood("ab", codes).tolist() == pytest.approx([-math.log(CODES)] * 2)


def test_a_run_starts_from_its_sample(folder, tmp_path):
    def run(text, place):
        init = {"type": "tokens", "model": str(folder), "candidates": 2, "guidance": 1, "temperature": 0.1}
        recipe = {
            "prompts": [text], "size": 24, "steps": 0, "seed": 1, "generator": "pixels", "exporters": ["still"],
            "init": init,
        }  # fmt: skip
        return pixforge.render(pixforge.load_recipe(recipe), tmp_path / place).images[0]

    first = run("ab ab", "first")
    assert first.tobytes() == run("ab ab", "again").tobytes()
    assert first.tobytes() != run("b", "other").tobytes()


def test_both_sizes_are_declared(tmp_path):
    for model in published():
        check_model(model)
    assert [each.urls[0].rsplit("/", 1)[1] for each in published()[0].files] == [
        "encoder_mini.pt", "decoder_mini.pt", "detoker.pt", "vocab_mini.json", "merges_mini.txt",
    ]  # fmt: skip
    assert MiniFolders().find("nowhere", tmp_path) is None


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("encoder", {"embed_tokens.weight": None}, r"encoder\.pt: it is no part of DALL-E mini"),
        ("encoder", {"embed_tokens.weight": torch.zeros(9, 128)}, r"vocab\.json should give each subword a number from 0 to 8"),
        ("decoder", {"embed_positions.weight": torch.zeros(8, 128)}, "no square"),
        ("decoder", {"lm_head.weight": torch.zeros(3, 128)}, r"lm_head\.weight is \[3, 128\], not \[17, 128\]"),
        ("detoker", {"decoder.conv_out.weight": None}, r"detoker\.pt: it is no decoder"),
        ("detoker", {"post_quant_conv.bias": torch.full((32,), torch.inf)}, "not finite"),
    ],
)  # fmt: skip
def test_files_that_do_not_fit_are_one_line(folder, tmp_path, name, change, message):
    for each in folder.iterdir():
        (tmp_path / each.name).write_bytes(each.read_bytes())
    state = torch.load(folder / f"{name}.pt", weights_only=True) | change
    torch.save({key: each for key, each in state.items() if each is not None}, tmp_path / f"{name}.pt")
    with pytest.raises(WeightsError, match=message) as caught:
        painter_of(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", ["[]", "{", '{"a": "b"}', '{"a": 1}', "[" * 100_000])
def test_a_wrong_vocabulary_is_one_line(folder, tmp_path, content):
    (tmp_path / "vocab.json").write_text(content)
    with pytest.raises(WeightsError, match=r"vocab\.json") as caught:
        read_tokenizer(tmp_path / "vocab.json", folder / "merges.txt", 12)
    assert "\n" not in str(caught.value)
