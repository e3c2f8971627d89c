"""Train the miniature's decoder on what latents.py wrote: from an image embedding to the latent of a VQGAN.

Usage: `python training/train_decoder.py --minutes 60`, which resumes from its last checkpoint.
"""

from __future__ import annotations

from typing import Any

import torch
from compose import load_art
from flow import flow_loss, parser, untold
from latents import load
from pixforge_unclip.networks import Decoder, DecoderShape
from rows import HELD, split
from torch import Tensor, nn
from torch.nn import functional
from training_run import TrainingRun, adam, placed_model

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
    options = parser(__doc__, 60, BATCH).parse_args()
    found = load(options.work, options.weights)
    train, held, weights = split(load_art(options.data, options.icons), found, ALIKE)
    device, n = torch.device(options.device), options.batch
    tests = {name: part.spread(TESTED).to(device) for name, part in ((f"held:{HELD}", held), ("seen", train))}
    train, weights = train.to(device), weights.to(device)
    torch.manual_seed(0)
    model = placed_model(Decoder(DecoderShape()), options)
    run = TrainingRun("decoder", model, adam(model, RATE), options)

    def batch() -> Tensor:
        chosen = torch.multinomial(weights, n, replacement=True)
        data, told = train.latents[chosen].float(), train.seen[chosen].float()
        far = JITTER * torch.rand(n, 1, device=device)
        told = functional.normalize(told + torch.randn_like(told) * far, dim=1)
        # Times near the middle, where there is most to learn (Esser et al. 2024, arXiv 2403.03206).
        times = torch.randn(n, device=device).sigmoid()
        return flow_loss(model, data, untold(told, UNTOLD), torch.randn_like(data), times)

    def test(decoder: nn.Module) -> dict[str, Any]:
        figures = {}
        for name, part in tests.items():
            data, told = part.latents.float(), part.seen.float()
            noise, times = torch.randn_like(data), torch.randn(len(data), device=device).sigmoid()
            figures[name] = {
                word: round(float(flow_loss(decoder, data, each, noise, times).mean()), 4)
                for word, each in (("told", told), ("untold", torch.zeros_like(told)))
            }
        return figures

    run.train(batch, test)


if __name__ == "__main__":
    main()
