"""The networks have the same results as taming's and diffusers', at the full size of the published models."""

import contextlib
import io

import pytest
import torch
from taming.modules.diffusionmodules.model import Decoder, Encoder
from taming.modules.vqvae.quantize import VectorQuantizer as TamingQuantizer
from torch import nn

from pixforge.builtin.generators.vqgan.load import build
from pixforge.builtin.generators.vqgan.network import VQGAN
from pixforge.builtin.generators.vqgan.network_config import VqganConfig
from pixforge.builtin.generators.vqgan.quantize import GumbelQuantizer, Remap, VectorQuantizer, nearest_codes

F16 = {
    "z_channels": 256,
    "resolution": 256,
    "ch": 128,
    "ch_mult": [1, 1, 2, 2, 4],
    "num_res_blocks": 2,
    "attn_resolutions": [16],
}
F8 = F16 | {"ch_mult": [1, 1, 2, 4], "attn_resolutions": [32]}
SMALL = F16 | {"ch": 32, "ch_mult": [1, 2], "z_channels": 32, "resolution": 16, "attn_resolutions": [8]}


def config(ddconfig, n_embed=64, **more) -> VqganConfig:
    return VqganConfig.model_validate(
        {"ddconfig": ddconfig, "n_embed": n_embed, "embed_dim": ddconfig["z_channels"], **more}
    )


class Taming(nn.Module):
    """taming's VQModel without Lightning, assembled from its own parts."""

    def __init__(self, wanted: VqganConfig) -> None:
        super().__init__()
        ddconfig = wanted.ddconfig.model_dump()
        with contextlib.redirect_stdout(io.StringIO()):
            self.encoder, self.decoder = Encoder(**ddconfig), Decoder(**ddconfig)
        self.quantize = TamingQuantizer(wanted.n_embed, wanted.embed_dim, beta=0.25)
        self.quant_conv = nn.Conv2d(wanted.ddconfig.z_channels, wanted.embed_dim, 1)
        self.post_quant_conv = nn.Conv2d(wanted.embed_dim, wanted.ddconfig.z_channels, 1)

    def encode(self, images):
        return self.quantize(self.quant_conv(self.encoder(images)))

    def decode(self, z):
        return self.decoder(self.post_quant_conv(z))


def random_codebook(model: VQGAN) -> None:
    with torch.no_grad():
        model.quantize.codebook.normal_(generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(("ddconfig", "codes"), [(F16, 16384), (SMALL, 64)])
@torch.no_grad()
def test_vqgan_equals_taming(ddconfig, codes):
    torch.manual_seed(0)
    ours = build(config(ddconfig, codes)).eval()
    random_codebook(ours)
    theirs = Taming(config(ddconfig, codes)).eval()
    theirs.load_state_dict(ours.state_dict(), strict=True)  # the same names and shapes
    images = torch.rand(1, 3, 64, 48) * 2 - 1
    z = ours.encode(images)
    quantized, loss, numbers = ours.quantize(z)
    wanted, wanted_loss, (_, _, wanted_numbers) = theirs.encode(images)
    assert torch.equal(numbers.flatten(), wanted_numbers.flatten())
    torch.testing.assert_close(quantized, wanted, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(loss, wanted_loss)
    torch.testing.assert_close(ours.decode(quantized), theirs.decode(wanted), atol=2e-5, rtol=1e-4)


def test_published_size():
    with torch.device("meta"):
        model = build(config(F16, 16384))
    assert len(model.state_dict()) == 343
    assert sum(each.numel() for each in model.parameters()) == 76_073_859
    assert model.factor == 16


@torch.no_grad()
def test_gumbel_equals_its_definition_at_full_size():
    """The computation of the Gumbel model in the authors' repository, since the published package has none."""
    torch.manual_seed(0)
    model = build(config(F8, 8192, gumbel=True)).eval()
    assert isinstance(model.quantize, GumbelQuantizer)
    images = torch.rand(1, 3, 64, 64) * 2 - 1
    z = model.encode(images)
    logits = model.quantize.proj(z)
    one_hot = torch.zeros_like(logits).scatter_(1, logits.argmax(1, keepdim=True), 1.0)
    wanted = torch.einsum("bnhw,nd->bdhw", one_hot, model.quantize.embed.weight)
    torch.testing.assert_close(model.quantize.entries(model.quantize.codes(z)), wanted)
    names = {name for name in model.state_dict() if name.startswith("quantize")}
    assert names == {"quantize.proj.weight", "quantize.proj.bias", "quantize.embed.weight"}
    assert model.factor == 8


@pytest.mark.parametrize("legacy", [True, False])
def test_the_quantizer_keeps_the_legacy_weight_of_its_loss(legacy):
    quantizer = VectorQuantizer(2, 1, beta=0.25, legacy=legacy)
    with torch.no_grad():
        quantizer.codebook.copy_(torch.tensor([[0.0], [10.0]]))
    z = torch.full((1, 1, 1, 1), 2.0, requires_grad=True)
    quantized, loss, numbers = quantizer(z)
    assert numbers.item() == 0
    assert quantized.item() == 0
    loss.backward()
    # Both halves of the loss are 4; taming's first version weighs the codebook's half, the later one the encoder's.
    assert loss.item() == pytest.approx(5.0)
    assert z.grad.item() == pytest.approx(4.0 if legacy else 1.0)
    assert quantizer.codebook.grad[0].item() == pytest.approx(-1.0 if legacy else -4.0)


def test_nearest_is_exact_in_parts(monkeypatch):
    z, codebook = torch.randn(2, 5, 7, 3), torch.randn(40, 5)
    wanted = torch.cdist(z.permute(0, 2, 3, 1).reshape(-1, 5), codebook).argmin(1).view(2, 7, 3)
    assert torch.equal(nearest_codes(z, codebook), wanted)
    monkeypatch.setattr("pixforge.builtin.generators.vqgan.quantize.PAIRS", 160)
    assert torch.equal(nearest_codes(z, codebook), wanted)


def test_remap_as_taming_numbers_codes():
    used = torch.tensor([9, 4, 7])
    codes = torch.tensor([[4, 9], [7, 5]])
    extra = Remap(used, "extra")
    assert extra.to_used(codes).tolist() == [[1, 0], [2, 3]]
    assert extra.count == 4
    assert extra.to_all(torch.tensor([1, 0, 2, 3])).tolist() == [4, 9, 7, 9]
    fixed = Remap(used, 2)
    assert fixed.to_used(codes).tolist() == [[1, 0], [2, 2]]
    random = Remap(used, "random").to_used(torch.full((400,), 5), torch.Generator().manual_seed(0))
    assert set(random.tolist()) == {0, 1, 2}


def test_fused_attention_and_checkpointing_change_no_gradient():
    torch.manual_seed(0)
    model = build(config(SMALL)).eval()
    theirs = Taming(config(SMALL)).eval()
    theirs.load_state_dict(model.state_dict())
    gradients = []
    for decode in (theirs.decode, model.decode, lambda z: model.decode(z, checkpointing=True)):
        z = torch.randn(2, 32, 4, 6, generator=torch.Generator().manual_seed(3)).requires_grad_()
        decode(z).square().sum().backward()
        gradients.append(z.grad)
    for each in gradients[1:]:
        torch.testing.assert_close(each, gradients[0], atol=1e-3, rtol=1e-3)


@torch.no_grad()
def test_vqgan_equals_diffusers():
    diffusers = pytest.importorskip("diffusers")
    torch.manual_seed(0)
    wanted = config(SMALL | {"attn_resolutions": []}, 64)
    ours = build(wanted).eval()
    random_codebook(ours)
    with torch.random.fork_rng():
        theirs = diffusers.VQModel(
            block_out_channels=(32, 64),
            down_block_types=("DownEncoderBlock2D",) * 2,
            up_block_types=("UpDecoderBlock2D",) * 2,
            layers_per_block=2,
            latent_channels=32,
            num_vq_embeddings=64,
            vq_embed_dim=32,
            norm_num_groups=32,
        ).eval()
    theirs.load_state_dict(
        {
            renamed(k, 2): v.squeeze() if ".attn_1." in k and v.dim() == 4 else v
            for k, v in ours.state_dict().items()
        }
    )
    images = torch.rand(1, 3, 32, 32) * 2 - 1
    z = theirs.encode(images).latents
    torch.testing.assert_close(ours.encode(images), z, atol=2e-5, rtol=1e-4)
    entries = ours.quantize.entries(ours.quantize.codes(z))
    torch.testing.assert_close(ours.decode(entries), theirs.decode(z).sample, atol=2e-5, rtol=1e-4)


def renamed(name: str, levels: int) -> str:
    """taming's parameter names to those of diffusers."""
    pieces = name.split(".")
    if pieces[1] in ("down", "up"):
        level = int(pieces[2]) if pieces[1] == "down" else levels - 1 - int(pieces[2])
        block = {"block": "resnets", "downsample": "downsamplers.0", "upsample": "upsamplers.0"}[pieces[3]]
        pieces[1:4] = [f"{pieces[1]}_blocks", str(level), block]
    joined = ".".join(pieces)
    for theirs, wanted in (
        ("nin_shortcut", "conv_shortcut"),
        ("mid.block_1", "mid_block.resnets.0"),
        ("mid.block_2", "mid_block.resnets.1"),
        ("mid.attn_1.norm", "mid_block.attentions.0.group_norm"),
        ("mid.attn_1.q.", "mid_block.attentions.0.to_q."),
        ("mid.attn_1.k.", "mid_block.attentions.0.to_k."),
        ("mid.attn_1.v.", "mid_block.attentions.0.to_v."),
        ("mid.attn_1.proj_out.", "mid_block.attentions.0.to_out.0."),
        ("norm_out", "conv_norm_out"),
    ):
        joined = joined.replace(theirs, wanted)
    return joined
