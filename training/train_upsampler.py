"""Train the miniature's upsampler on what latent_pairs.py wrote: from a latent of 64 pixels to one of 128.

Usage: `python training/train_upsampler.py --minutes 30`, which resumes from its last checkpoint.
"""

from __future__ import annotations

from typing import Any

import torch
from compose import load_art
from flow import flow_loss, parser, untold
from latent_pairs import Pairs, load
from pixforge_unclip.networks import Decoder, DecoderShape, guided
from rows import HELD, split
from torch import Tensor, nn
from training_run import TrainingRun, adam, placed_model

RATE = 8e-4
BATCH = 16
UNTOLD = 0.1
ALIKE = 0.25
"""Drawings that are shown alike often, beside those that people ask for."""
JITTER = 0.4
"""Up to this much noise on each number of the small latent: the decoder's latents are not quite those of pictures."""
SHAPE = DecoderShape(side=16, width=64, guide=16)
TESTED = 256


def losses(model: nn.Module, pairs: Pairs, told: Tensor, small: Tensor) -> Tensor:
    """Of the velocity at random times, (n,)."""
    data = pairs.large.float()
    times = torch.randn(len(data), device=data.device).sigmoid()
    return flow_loss(guided(model, small), data, told, torch.randn_like(data), times)


def main() -> None:
    """Train."""
    options = parser(__doc__, 30, BATCH).parse_args()
    found = load(options.work, options.weights)
    train, held, weights = split(load_art(options.data, options.icons), found, ALIKE)
    device, n = torch.device(options.device), options.batch
    tests = {name: part.spread(TESTED).to(device) for name, part in ((f"held:{HELD}", held), ("seen", train))}
    train, weights = train.to(device), weights.to(device)
    torch.manual_seed(0)
    model = placed_model(Decoder(SHAPE), options)
    run = TrainingRun("upsampler", model, adam(model, RATE), options)

    def batch() -> Tensor:
        part = train.at(torch.multinomial(weights, n, replacement=True))
        small = part.small.float()
        small = small + torch.randn_like(small) * JITTER * torch.rand(n, 1, 1, 1, device=device)
        return losses(run.model, part, untold(part.seen.float(), UNTOLD), small)

    def test(model: nn.Module) -> dict[str, Any]:
        return {
            name: round(float(losses(model, part, part.seen.float(), part.small.float()).mean()), 4)
            for name, part in tests.items()
        }

    run.train(batch, test)


if __name__ == "__main__":
    main()
