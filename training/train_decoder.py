"""Train the miniature's decoder on what latents.py wrote: from an image embedding to the latent of a VQGAN.

Usage: `python training/train_decoder.py --minutes 60`, which resumes from its last checkpoint.
"""

from __future__ import annotations

from typing import Any

import torch
from compose import load_art, wanted
from data import STYLES
from flow import FlowRun, flow_loss, parser, untold
from latents import load
from pixforge_unclip.networks import Decoder, DecoderShape
from torch import Tensor, nn
from torch.nn import functional

HELD = "twemoji"
RATE = 8e-4
BATCH = 16
UNTOLD = 0.1
ALIKE = 0.25
"""Drawings that are shown alike often, beside those that people ask for."""
JITTER = 0.03
"""Up to this much noise on each number of a unit vector: the prior's embeddings are not quite those of pictures."""
TESTED = 256


def main() -> None:
    """Train."""
    options = parser(__doc__, 60).parse_args()
    art = load_art(options.data)
    found = load(options.work, options.weights / "vqgan.safetensors")
    held = art.styles[found.pictures] == STYLES.index(HELD)
    train = found.at((~held).nonzero().squeeze(1))
    weights = wanted(art)[train.pictures]
    weights = weights / weights.sum() + ALIKE / len(weights)
    del art
    tests = {
        f"held:{HELD}": found.at(held.nonzero().squeeze(1)),
        "seen": train,
    }
    tests = {
        name: each.at(torch.linspace(0, len(each.seen) - 1, TESTED).long()) for name, each in tests.items()
    }
    torch.manual_seed(0)
    model = Decoder(DecoderShape())
    run = FlowRun("decoder", model, RATE, options)

    def batch() -> Tensor:
        chosen = torch.multinomial(weights, BATCH, replacement=True)
        data, told = train.latents[chosen].float(), train.seen[chosen].float()
        told = functional.normalize(told + torch.randn_like(told) * JITTER * torch.rand(BATCH, 1), dim=1)
        # Times near the middle, where there is most to learn (Esser et al. 2024, arXiv 2403.03206).
        times = torch.randn(BATCH).sigmoid()
        return flow_loss(model, data, untold(told, UNTOLD), torch.randn_like(data), times)

    def test(decoder: nn.Module) -> dict[str, Any]:
        figures = {}
        for name, part in tests.items():
            data, told = part.latents.float(), part.seen.float()
            noise, times = torch.randn_like(data), torch.randn(len(data)).sigmoid()
            figures[name] = {
                word: round(float(flow_loss(decoder, data, each, noise, times).mean()), 4)
                for word, each in (("told", told), ("untold", torch.zeros_like(told)))
            }
        return figures

    run.train(batch, test)


if __name__ == "__main__":
    main()
