"""Train the miniature's prior on the embeddings that latents.py wrote: from a text's to those of its pictures.

Usage: `python training/train_prior.py --minutes 4`, which resumes from its last checkpoint.
"""

from __future__ import annotations

from typing import Any

import torch
from compose import load_art
from flow import flow_loss, parser, untold
from latents import SAYINGS, Pictured, load
from pixforge_unclip.networks import Prior, PriorShape
from pixforge_unclip.sampling import embeddings
from rows import HELD, split
from torch import Tensor, nn
from torch.nn import functional
from training_run import TrainingRun, adam, placed_model

RATE = 1e-3
BATCH = 128
UNTOLD = 0.1
TESTED = 512
MEAN_OF = 4


def cosines(a: Tensor, b: Tensor) -> float:
    """The mean over rows (n, d) of unit vectors."""
    return round(float((a * b).sum(1).mean()), 4)


def measure(prior: nn.Module, part: Pictured) -> dict[str, Any]:
    """How near samples come to the pictures' own embeddings, beside the text's; and how different two samples are."""
    said, seen = part.said[:, 0].float(), part.seen.float()
    drawn = [embeddings(prior, said, torch.randn_like(said), 16) for _ in range(MEAN_OF)]
    mean = functional.normalize(torch.stack(drawn).mean(0), dim=1)
    return {
        "text": cosines(said, seen),
        "sample": cosines(drawn[0], seen),
        "mean of 4": cosines(mean, seen),
        "two samples": cosines(drawn[0], drawn[1]),
    }


def main() -> None:
    """Train."""
    options = parser(__doc__, 4, BATCH).parse_args()
    found = load(options.work, options.weights)
    train, held, weights = split(
        load_art(options.data, options.icons), found, 1
    )  # half as people ask, half all alike
    tests = [each.at((each.said[:, 0] != 0).any(1).nonzero().squeeze(1)) for each in (held, train)]
    device, n = torch.device(options.device), options.batch
    tests = [each.spread(TESTED).to(device) for each in tests]
    train, weights = train.to(device), weights.to(device)
    torch.manual_seed(0)
    model = placed_model(Prior(PriorShape()), options)
    run = TrainingRun("prior", model, adam(model, RATE), options)

    def batch() -> Tensor:
        chosen = torch.multinomial(weights, n, replacement=True)
        data = train.seen[chosen].float() * train.seen.shape[1] ** 0.5
        told = train.said[chosen, torch.randint(SAYINGS, (n,), device=device)].float()
        times = torch.rand(n, device=device)
        return flow_loss(model, data, untold(told, UNTOLD), torch.randn_like(data), times)

    def test(prior: nn.Module) -> dict[str, Any]:
        names = (f"held:{HELD}", "seen")
        return {name: measure(prior, part) for name, part in zip(names, tests, strict=True)}

    run.train(batch, test)


if __name__ == "__main__":
    main()
