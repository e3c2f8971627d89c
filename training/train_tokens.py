"""Train the embedded text-to-codes transformer on the codes that codes.py wrote.

Usage: `python training/train_tokens.py --minutes 75`, which resumes from its last checkpoint.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from captions import Writer, spoken_colors
from codes import Coded, load
from compose import ALONE, COLORS, NO_COLOR, Art, load_art, seed_of_worker, wanted
from data import STYLES
from model import TOKENS_PLAN, new_tokenizer
from safetensors.torch import load_file
from styles import PLAIN
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, IterableDataset
from training_run import TrainingRun, muon

from pixforge.builtin.generators.vqgan.load import load_vqgan
from pixforge.builtin.generators.vqgan.model import find
from pixforge.builtin.inits.text_to_codes.load import TextTower
from pixforge.builtin.inits.text_to_codes.transformer import TextToCodes
from pixforge.builtin.models import builtin_catalog
from pixforge.models import Tokenizer, resolve

RATE = 1.5e-3
BETAS = (0.9, 0.96)
MUON_RATE = 0.01
BATCH = 48
# What classifier-free guidance needs: pictures that nothing was said about.
UNTOLD = 0.1
# Shares of the pictures that show two drawings, one in a color not its own, one in a style, and one before a place.
PAIRS = 0.22
RECOLORED = 0.08
STYLED = 0.15
PLACES = 0.12
# How far from a code those lie that stand in for it, in squared distance in the codebook: about one code in three.
ALIKE = 0.03
HELD = "twemoji"
WARM = 150
"""Steps in which the rate rises."""


class Reader:
    """Texts as the transformer reads them; where nothing is said, all is zero.

    Args:
        merges: of the tokenizer, which is the perceptor's, too.
        device: where texts are embedded.
    """

    def __init__(self, merges: Path, device: torch.device) -> None:
        self.tokenizer, self.device = new_tokenizer(merges), device
        self.network = TextTower(resolve("embedded", None, Path())).network.to(device)

    def tokens(self, texts: list[str]) -> Tensor:
        """Tokens (n, t)."""
        return tokenized(self.tokenizer, texts)

    @torch.no_grad()
    def sentences(self, tokens: Tensor) -> Tensor:
        """The perceptor's embeddings (n, d) of tokens (n, t)."""
        found: Tensor = self.network.encode_text(tokens, normalize=True)
        return found.float() * tokens.any(1, keepdim=True)


def tokenized(tokenizer: Tokenizer, texts: list[str]) -> Tensor:
    """Tokens (n, t), all zero for an empty text."""
    said = torch.tensor([bool(text) for text in texts])[:, None]
    return tokenizer(texts) * said


class Speaker:
    """Says what a person might say of coded pictures."""

    def __init__(self, art: Art) -> None:
        self.art = art

    def caption(self, writer: Writer, coded: Coded, index: int) -> str:
        """What a person might say of the picture; nothing, sometimes."""
        draw = writer.random.random
        if draw() < UNTOLD:
            return ""
        label, tint, other, color = (
            int(each[index])
            for each in (self.art.labels[coded.pictures], coded.tints, coded.others, coded.colors)
        )
        if other != ALONE:
            text = writer.related(label, int(self.art.labels[other]), bool(coded.stacked[index]))
        elif tint != NO_COLOR:
            text = writer.recolored(label, tint)
        elif (style := int(coded.styles[index])) != PLAIN:
            return writer.styled(label, style).text
        else:
            text = self.name(writer, label)
        plain = color == list(COLORS).index("white")
        if draw() < (0.15 if plain else 0.8):
            text = writer.on_ground(text, color)[0]
        return text

    def name(self, writer: Writer, label: int) -> str:
        """A drawing as it is."""
        kind = writer.random.random()
        if kind < 0.35:
            return writer.exact(label)
        if kind < 0.85:
            return writer.dressed(writer.exact(label), label)
        if kind < 0.93:
            return writer.mixed(label).text
        return writer.dressed(writer.random.choice(writer.by_class[label]), None)


class Captioned(IterableDataset[tuple[Tensor, Tensor]]):
    """Text tokens (n, t) and codes (n, m), without end.

    Codes that lie near each other in the codebook (k, d) decode to much the same: drawing among them makes more pictures of
    each, and a model that is not thrown off by its own slightly wrong codes.
    """

    def __init__(
        self, art: Art, coded: Coded, codebook: Tensor, merges: Path, seed: int, batch: int = BATCH
    ) -> None:
        self.art, self.coded, self.merges, self.seed, self.batch = art, coded, merges, seed, batch
        self.alike = (-torch.cdist(codebook, codebook).square() / ALIKE).softmax(dim=1)
        # What people ask for first, more clearly than the perceptor's training does: there is room for little.
        weights = wanted(art)[coded.pictures]
        two, recolored = coded.others != ALONE, coded.tints != NO_COLOR
        styled, there = coded.styles != PLAIN, coded.colors >= len(COLORS)
        shares = ((two, PAIRS), (recolored, RECOLORED), (styled, STYLED), (there, PLACES))
        # All but those that are as they are were chosen by that weight when they were coded.
        special = two | recolored | styled | there
        weights[special] = 1
        for kind, share in (*shares, (~special, 1 - sum(share for _, share in shares))):
            weights[kind] *= share / weights[kind].sum().clamp(min=1e-9)
        self.weights = weights

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        seed = seed_of_worker(self.seed)
        torch.manual_seed(seed)
        torch.set_num_threads(1)
        writer = Writer(self.art.words, spoken_colors(self.art), seed)
        tokenizer, speaker = new_tokenizer(self.merges), Speaker(self.art)
        while True:
            chosen = torch.multinomial(self.weights, self.batch * 64, replacement=True)
            for part in chosen.split(self.batch):
                coded = self.coded.at(part)
                texts = [speaker.caption(writer, coded, index) for index in range(len(part))]
                codes = torch.multinomial(self.alike[coded.codes.flatten().long()], 1)
                yield tokenized(tokenizer, texts), codes.view(len(part), -1)


def new_model(start: Path | None = None) -> TextToCodes:
    """Random weights; or those of an exported model, its places stretched to the plan's rows and columns."""
    model = TextToCodes(TOKENS_PLAN.shape)
    model.initialize()
    if start:
        state = {name: each.float() for name, each in load_file(start).items()}
        for name, length in (("row", TOKENS_PLAN.shape.rows), ("column", TOKENS_PLAN.shape.columns)):
            places = state[name].squeeze().T[None]
            stretched = functional.interpolate(places, length, mode="linear", align_corners=True)[0].T
            state[name] = stretched.view_as(getattr(model, name))
        # A model that was trained without it goes on as it was.
        state.setdefault("sentence.weight", torch.zeros_like(model.sentence.weight))
        model.load_state_dict(state)
    return model


@torch.no_grad()
def measure(model: nn.Module, art: Art, coded: Coded, merges: Path) -> dict[str, float]:
    """Mean negative log likelihood of a code, in nats: told the name, and told nothing."""
    model.eval()
    device = next(model.parameters()).device
    read = Reader(merges, device)
    sums, count = torch.zeros(2), 0
    for part in torch.arange(len(coded.codes)).split(64):
        codes = coded.codes[part].flatten(1).long().to(device)
        texts = [art.words[i].name for i in art.labels[coded.pictures[part]].tolist()]
        for index, said in enumerate((texts, [""] * len(texts))):
            text = read.tokens(said).to(device)
            with torch.autocast(device.type, torch.bfloat16):
                logits = model(text, codes, read.sentences(text))
            loss = functional.cross_entropy(logits.float().flatten(0, 1), codes.flatten())
            sums[index] += loss.cpu() * len(part)
        count += len(part)
    model.train()
    return {"told": round(float(sums[0] / count), 4), "untold": round(float(sums[1] / count), 4)}


def cosine(step: int, progress: float) -> float:
    """The share of the peak rates: it rises, then falls to a fiftieth."""
    return min(1.0, step / WARM) * (0.51 + 0.49 * math.cos(math.pi * progress))


def tests_of(art: Art, coded: Coded) -> dict[str, Coded]:
    """Alone on white and once each: a style that was never seen, then one that was."""
    held = art.styles[coded.pictures] == STYLES.index(HELD)
    white = coded.colors == list(COLORS).index("white")
    white &= (coded.others == ALONE) & (coded.tints == NO_COLOR)
    seen = (~held & white).nonzero().squeeze(1)
    return {
        f"held:{HELD}": coded.at((held & white).nonzero().squeeze(1)[::6]),
        "seen": coded.at(seen[:: max(1, len(seen) // 300)]),
    }


def train(options: argparse.Namespace) -> None:
    """Train for the given minutes, earlier parts of a resumed run included."""
    torch.manual_seed(TOKENS_PLAN.seed)
    merges = options.weights / "merges.txt.gz"
    art = load_art(options.data, options.icons)
    coded = load(options.work, options.weights / "vqgan.safetensors")
    held = art.styles[coded.pictures] == STYLES.index(HELD)
    model = new_model(options.start).to(options.device)
    rates = (options.rate * MUON_RATE, options.rate * RATE)
    run = TrainingRun("tokens", model, muon(model.blocks, model.parameters(), rates, BETAS), options, cosine)
    codebook = load_vqgan(find(builtin_catalog(), "embedded", Path())).quantize.codebook.detach()
    source = Captioned(art, coded.at(~held), codebook, merges, TOKENS_PLAN.seed + run.step, options.batch)
    read, tests = Reader(merges, run.device), tests_of(art, coded)
    batches = iter(DataLoader(source, batch_size=None, num_workers=options.workers, prefetch_factor=8))

    def batch() -> Tensor:
        text, codes = (each.to(run.device) for each in next(batches))
        with torch.autocast(run.device.type, torch.bfloat16):
            logits = model(text, codes, read.sentences(text))
        losses = functional.cross_entropy(logits.float().transpose(1, 2), codes, reduction="none")
        return losses.mean(1)

    def test(mean: nn.Module) -> dict[str, Any]:
        return {name: measure(mean, art, part, merges) for name, part in tests.items()}

    run.train(batch, test)


def main() -> None:
    """Train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("training/work/large.npz"))
    parser.add_argument("--icons", type=Path, help="the archive of icons.py at the same size: more names")
    parser.add_argument("--work", type=Path, default=Path("training/work"))
    parser.add_argument("--weights", type=Path, default=Path("pixforge/models/embedded"))
    parser.add_argument("--minutes", type=float, default=75)
    parser.add_argument("--batch", type=int, default=BATCH, help="pictures in a step")
    parser.add_argument("--workers", type=int, default=1, help="processes that write captions")
    parser.add_argument("--start", type=Path, help="exported weights to start from instead of random ones")
    parser.add_argument("--rate", type=float, default=1.0, help="factor of the peak rates")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--fresh", action="store_true", help="ignore an earlier checkpoint")
    train(parser.parse_args())


if __name__ == "__main__":
    main()
