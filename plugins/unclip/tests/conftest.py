"""Tiny models of this package's own form, with random weights."""

import json

import pytest
import torch
from pixforge_unclip.networks import Decoder, DecoderShape, Prior, PriorShape
from safetensors.torch import save_file

import pixforge

FAKE = {"type": "fake"}
EMBEDDED = {"type": "open_clip", "model": "embedded"}
LENGTHS = {"fake": 13, "open_clip": 256}
LENGTH, WORDS = 8, 5
"""Of an embedding and of a text, in models as diffusers saves them."""
SUPER = {
    "in_channels": 6,
    "out_channels": 3,
    "sample_size": 16,
    "block_out_channels": (8, 16),
    "layers_per_block": 1,
    "norm_num_groups": 4,
    "down_block_types": ("ResnetDownsampleBlock2D",) * 2,
    "up_block_types": ("ResnetUpsampleBlock2D",) * 2,
    "add_attention": False,
}


def save_tiny(folder, perceptor=FAKE, upsampler=False, **changes):
    """A model whose last layers are not zero, so that what it is told matters."""
    torch.manual_seed(0)
    length = LENGTHS[perceptor["type"]]
    prior = {"embedding": length, "width": 8, "depth": 1}
    decoder = {"embedding": length, "channels": 16, "side": 4, "width": 8, "told": 8, "heads": 2}
    networks = {"prior": Prior(PriorShape(**prior)), "decoder": Decoder(DecoderShape(**decoder))}
    if upsampler:
        changes = {"upsampler": {**decoder, "side": 8, "guide": 16}, **changes}
        networks["upsampler"] = Decoder(DecoderShape(**changes["upsampler"]))
    folder.mkdir(exist_ok=True)
    for name, network in networks.items():
        for each in network.parameters():
            each.data.add_(torch.randn_like(each) * 0.2)
        save_file(
            {key: each.half() for key, each in network.state_dict().items()}, folder / f"{name}.safetensors"
        )
    card = {"perceptor": perceptor, "generator": {"type": "vqgan", "model": "embedded"}, "size": 32}
    card |= {"prior": prior, "decoder": decoder, **changes}
    (folder / "unclip.json").write_text(json.dumps(card))
    return folder


@pytest.fixture
def tiny(tmp_path):
    """A folder with a model for the perceptor without weights."""
    return save_tiny(tmp_path / "tiny")


@pytest.fixture
def small(tmp_path):
    """A folder with a model for the embedded perceptor."""
    return save_tiny(tmp_path / "small", EMBEDDED)


@pytest.fixture
def large(tmp_path):
    """A folder with a model that has an upsampler."""
    return save_tiny(tmp_path / "large", upsampler=True)


@pytest.fixture(scope="session")
def save_towers():
    """A function: random towers of CLIP and a tokenizer of a few letters into a folder, as transformers saves them."""
    transformers = pytest.importorskip("transformers")

    def save(folder, length):
        torch.manual_seed(2)
        words = ["<|startoftext|>", "<|endoftext|>", "r</w>", "e", "d</w>"]
        place = folder / "tokenizer"
        place.mkdir(exist_ok=True, parents=True)
        (place / "vocab.json").write_text(json.dumps({word: index for index, word in enumerate(words)}))
        (place / "merges.txt").write_text("#version: 0.2\n")
        tokenizer = transformers.CLIPTokenizer(
            str(place / "vocab.json"), str(place / "merges.txt"), model_max_length=5
        )
        shape = {
            "hidden_size": length,
            "intermediate_size": 16,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "projection_dim": length,
        }
        text = transformers.CLIPTextModelWithProjection(
            transformers.CLIPTextConfig(
                vocab_size=5, max_position_embeddings=5, bos_token_id=0, eos_token_id=1, **shape
            )
        ).eval()
        image = transformers.CLIPVisionModelWithProjection(
            transformers.CLIPVisionConfig(image_size=8, patch_size=4, **shape)
        ).eval()
        for name, each in (("tokenizer", tokenizer), ("text_encoder", text), ("image_encoder", image)):
            each.save_pretrained(folder / name)
        return tokenizer, text, image

    return save


TINY_UNET = {
    "sample_size": 8,
    "block_out_channels": (8, 16),
    "layers_per_block": 1,
    "norm_num_groups": 4,
    "attention_head_dim": 4,
    "cross_attention_dim": LENGTH,
    "down_block_types": ("ResnetDownsampleBlock2D", "SimpleCrossAttnDownBlock2D"),
    "up_block_types": ("SimpleCrossAttnUpBlock2D", "ResnetUpsampleBlock2D"),
    "mid_block_type": "UNetMidBlock2DSimpleCrossAttn",
}
"""What Kandinsky's and Karlo's U-Nets of the tests have in common."""


def new_diffusers():
    """The library, imported as the package does; without it, what asks for it is skipped."""
    pixforge.install_torchvision_shim()
    return pytest.importorskip("diffusers")


def new_decoder():
    diffusers = new_diffusers()
    unet = diffusers.UNet2DConditionModel(
        in_channels=4,
        out_channels=8,
        encoder_hid_dim=LENGTH,
        encoder_hid_dim_type="image_proj",
        addition_embed_type="image",
        **TINY_UNET,
    )
    movq = diffusers.VQModel(
        block_out_channels=(32, 32),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        latent_channels=4,
        norm_num_groups=32,
        num_vq_embeddings=8,
        norm_type="spatial",
        vq_embed_dim=4,
    )
    return unet.eval(), movq.eval()


@pytest.fixture(scope="module")
def decoder(tmp_path_factory):
    """The folder of a decoder of Kandinsky's kind."""
    diffusers = new_diffusers()
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("decoder")
    for name, each in zip(("unet", "movq"), new_decoder(), strict=True):
        each.save_pretrained(folder / name)
    diffusers.DDPMScheduler(num_train_timesteps=20).save_pretrained(folder / "scheduler")
    return folder


@pytest.fixture(scope="module")
def prior(tmp_path_factory):
    """The folder of a prior, without the towers that transformers would load."""
    diffusers = new_diffusers()
    torch.manual_seed(1)
    folder = tmp_path_factory.mktemp("prior")
    made = diffusers.PriorTransformer(
        num_attention_heads=2, attention_head_dim=4, num_layers=1, embedding_dim=LENGTH, num_embeddings=5
    )
    made.clip_std.data.fill_(2.0)
    made.save_pretrained(folder / "prior")
    diffusers.UnCLIPScheduler(
        variance_type="fixed_small_log",
        prediction_type="sample",
        num_train_timesteps=20,
        clip_sample_range=5.0,
    ).save_pretrained(folder / "scheduler")
    return folder


def projection():
    from pixforge_unclip.backends.saved import diffusers_class

    made = diffusers_class("UnCLIPTextProjModel")(
        clip_embeddings_dim=LENGTH, time_embed_dim=32, cross_attention_dim=LENGTH
    )
    made.learned_classifier_free_guidance_embeddings.data.normal_()
    return made


def new_parts():
    """Of the sizes that a test can afford, with the learned variance that Karlo's decoder has."""
    diffusers = new_diffusers()
    torch.manual_seed(0)
    prior = diffusers.PriorTransformer(
        num_attention_heads=2, attention_head_dim=4, num_layers=1, embedding_dim=LENGTH, num_embeddings=WORDS
    )
    prior.clip_std.data.fill_(2.0)
    decoder = diffusers.UNet2DConditionModel(
        in_channels=3,
        out_channels=6,
        class_embed_type="identity",
        **TINY_UNET,
    )
    times = {"num_train_timesteps": 20}
    schedulers = {
        "prior_scheduler": {"prediction_type": "sample", "clip_sample_range": 5.0},
        "decoder_scheduler": {"variance_type": "learned_range"},
        "super_res_scheduler": {"variance_type": "fixed_small_log"},
    }
    return {
        "prior": prior,
        "decoder": decoder,
        "text_proj": projection(),
        "super_res_first": diffusers.UNet2DModel(**SUPER),
        "super_res_last": diffusers.UNet2DModel(**SUPER),
        **{name: diffusers.UnCLIPScheduler(**times, **each) for name, each in schedulers.items()},
    }


@pytest.fixture(scope="module")
def karlo_parts():
    """Of Karlo's pipeline, but for CLIP's towers."""
    return {
        name: each.eval() if isinstance(each, torch.nn.Module) else each for name, each in new_parts().items()
    }


@pytest.fixture(scope="module")
def karlo_folder(tmp_path_factory, karlo_parts):
    """Where diffusers saved them."""
    made = tmp_path_factory.mktemp("karlo")
    for name, each in karlo_parts.items():
        each.save_pretrained(made / name)
    return made


@pytest.fixture(scope="module")
def karlo_whole(karlo_folder, karlo_parts, save_towers):
    """The same with towers, where transformers is installed, and the parts as a pipeline's arguments."""
    tokenizer, text, image = save_towers(karlo_folder, LENGTH)
    return karlo_folder, {**karlo_parts, "tokenizer": tokenizer, "text_encoder": text, "image_encoder": image}


@pytest.fixture
def said(monkeypatch):
    """Instead of the towers: random numbers for each text."""

    from pixforge_unclip.backends.prior import SavedPrior

    def told(self, texts, count):
        draws = [torch.Generator().manual_seed(sum(map(ord, text))) for text in texts]
        found = {
            "proj_embedding": torch.stack([torch.randn(LENGTH, generator=each) for each in draws]).to(
                self.context.dtype
            ),
            "encoder_hidden_states": torch.stack(
                [torch.randn(WORDS, LENGTH, generator=each) for each in draws]
            ).to(self.context.dtype),
            "attention_mask": torch.ones(len(texts), WORDS, dtype=torch.bool),
        }
        return {name: each.repeat_interleave(count, dim=0) for name, each in found.items()}

    monkeypatch.setattr(SavedPrior, "told", told)
