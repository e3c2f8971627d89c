"""Janus-Pro: a tiny random model, saved by transformers, gives what transformers' own `generate` gives."""

import contextlib
import json

import pytest
import torch
from pixforge_dalle.janus.models import JanusFolders, published

import pixforge
from pixforge.errors import WeightsError
from pixforge.testing import check_model, make_context

WORDS = ["<s>", "<pad>", "<begin>", "<unk>", "a", "b", "<|User|>", ":", "<|Assistant|>"]


def likeliest(logits, uniform):
    """The choice that always takes the most probable code."""
    return logits.argmax(dim=-1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Sixteen codes, three rows of them, and pictures of six pixels."""
    pixforge.install_torchvision_shim()
    transformers = pytest.importorskip("transformers")
    tokenizers = pytest.importorskip("tokenizers")
    place = tmp_path_factory.mktemp("janus")
    vocabulary = {word: number for number, word in enumerate(WORDS)}
    words = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token="<unk>"))
    words.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    words.post_processor = tokenizers.processors.TemplateProcessing("<s> $A", special_tokens=[("<s>", 0)])
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=words, bos_token="<s>", pad_token="<pad>", unk_token="<unk>"
    )
    fast.save_pretrained(place)
    text = transformers.LlamaConfig(
        vocab_size=len(WORDS), hidden_size=16, intermediate_size=16, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=2, bos_token_id=0, pad_token_id=1,
    )  # fmt: skip
    vision = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1, "image_size": 6, "patch_size": 2,
              "projection_dim": 16, "depth": 1, "num_image_tokens": 9}  # fmt: skip
    codes = {"embed_dim": 4, "num_embeddings": 16, "latent_channels": 32, "base_channels": 32, "channel_multiplier": [1, 1],
             "num_res_blocks": 1, "num_patches": 3, "projection_dim": 16, "image_token_embed_dim": 16}  # fmt: skip
    torch.manual_seed(0)
    config = transformers.JanusConfig(text_config=text, vision_config=vision, vq_config=codes)
    network = transformers.JanusForConditionalGeneration(config).eval()
    for each in network.model.language_model.parameters():
        each.data.normal_(std=0.4)
    network.generation_config = transformers.GenerationConfig(
        bos_token_id=0, pad_token_id=1, generation_kwargs={"boi_token_id": 2}, max_length=40
    )
    network.save_pretrained(place)
    return place


def painter_of(folder):
    context = make_context(models=[JanusFolders()])
    model = JanusFolders().find(str(folder), folder)
    return model.load(context.model_files(str(folder), "tokens"), context.device, context.dtype)


@pytest.fixture
def painter(folder):
    return painter_of(folder)


@pytest.mark.filterwarnings("ignore")  # of transformers, about itself
@pytest.mark.parametrize("guidance", [2.0, 5.0])
def test_transformers_itself_draws_the_same_codes(painter, guidance):
    asked = painter.tokens("a b b", told=True)
    options = {"generation_mode": "image", "do_sample": False, "guidance_scale": guidance, "use_cache": True}
    wanted = painter.network.generate(input_ids=asked, attention_mask=torch.ones_like(asked), **options)
    found = painter.sample("a b b", torch.rand(2, 9), likeliest, guidance)
    assert found.shape == (2, 3, 3)
    assert torch.equal(found.flatten(1), wanted.expand(2, -1))


def test_a_beginning_stays_and_pictures_have_codes(painter):
    uniform = torch.rand(1, 9)
    codes = painter.sample("a", uniform, likeliest, 2.0)
    assert torch.equal(painter.sample("a", uniform, likeliest, 2.0, codes.flatten()[:5]), codes)
    pictures = painter.decode(codes)
    assert pictures.shape == (1, 3, 6, 6)
    assert 0 <= float(pictures.min()) <= float(pictures.max()) <= 1
    assert painter.codes_of(torch.rand(2, 3, 20, 30)).shape == (2, 3, 3)


def test_the_likelihood_is_the_mean_over_the_codes(painter):
    codes = torch.randint(16, (2, 3, 3))
    alone = [painter.log_likelihood("a b", each[None]) for each in codes]
    torch.testing.assert_close(painter.log_likelihood("a b", codes), torch.cat(alone), atol=1e-5, rtol=1e-5)
    best = painter.sample("a b", torch.rand(1, 9), likeliest, 1.0)
    assert float(painter.log_likelihood("a b", best)) >= float(painter.log_likelihood("a b", codes).max())
    assert not torch.equal(painter.log_likelihood("a b", codes), painter.log_likelihood("", codes))


@pytest.mark.filterwarnings("ignore")  # of transformers, about itself
@pytest.mark.parametrize("own", ["TokenizersBackend", "Odd"])
def test_code_in_the_folder_is_not_run(folder, tmp_path, own):
    for each in folder.iterdir():
        (tmp_path / each.name).write_bytes(each.read_bytes())
    (tmp_path / "odd.py").write_text(f"open({str(tmp_path / 'trap')!r}, 'w')\nclass Odd: pass\n")
    config = json.loads((tmp_path / "tokenizer_config.json").read_text())
    config |= {"tokenizer_class": own, "auto_map": {"AutoTokenizer": ["odd.Odd", "odd.Odd"]}}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    with contextlib.suppress(WeightsError):
        painter_of(tmp_path)
    assert not (tmp_path / "trap").exists()


def test_damaged_weights_are_one_line(folder, tmp_path):
    for each in folder.iterdir():
        (tmp_path / each.name).write_bytes(each.read_bytes())
    (tmp_path / "model.safetensors").write_bytes(b"no tensors")
    with pytest.raises(WeightsError, match="holds no Janus-Pro that transformers can read") as caught:
        painter_of(tmp_path)
    assert "\n" not in str(caught.value)


def test_the_published_model_is_declared_and_folders_are_recognized(tmp_path):
    check_model(published())
    assert JanusFolders().find(".", tmp_path) is None
    for content in ("{", "[]", json.dumps({"model_type": "llama"})):
        (tmp_path / "config.json").write_text(content)
        assert JanusFolders().find(".", tmp_path) is None
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "janus"}))
    with pytest.raises(WeightsError, match=r"has no generation_config\.json"):
        JanusFolders().find(".", tmp_path)
