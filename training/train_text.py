"""Fit a text tower to a frozen vision tower: captions land where the pictures they describe lie.

Usage: `python training/train_text.py perceptor --minutes 6`
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import torch
from bpe import learn_merges, led_over, write_merges
from captions import Caption, Writer, spoken_colors, tidy, vocabulary_text
from compose import ALONE, COLORS, NO_COLOR, Art, Batch, Composer, load_art, seed_of_worker, shares
from export import load_exported
from mixed import as_batch, scene_composer
from model import MERGES, PLANS, Plan, new_tokenizer, normalize, open_clip_model
from styles import PLAIN
from telling import Scene, article, right_and_wrong
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, IterableDataset
from train_vision import Classifier, embed, new_classifier, side_loss, style_mask
from training_run import WARM, TrainingRun, muon

BATCH = 384
RATE = 1.5e-3
MUON_RATE = 0.008
BETAS = (0.9, 0.98)
SCENES = 160
BANK = 16384
SCENE_LOSS = 0.4
# Shares of the pictures that are in a style, and before a place.
STYLED = 0.3
PLACES = 0.25
CLASS_SCALE = 20.0
COLOR_SCALE = 12.0
EVAL_TEMPLATES = ("{}", "a photo of {}", "a drawing of {}", "{} emoji")


def name_prompts(names: list[str]) -> list[list[str]]:
    """For each template, one prompt for each class."""
    return [
        [t.format(tidy(n) if t.startswith("{}") else article(tidy(n))) for n in names] for t in EVAL_TEMPLATES
    ]


@dataclass(frozen=True)
class Bank:
    """Embeddings of composed pictures (n, width), and what they show; their pixels are gone."""

    embeddings: Tensor
    scenes: Batch

    def only(self, keep: Tensor) -> Bank:
        """The pictures where keep (n,) is true."""
        return Bank(self.embeddings[keep], self.scenes.only(keep))

    def with_(self, more: Bank) -> Bank:
        """These pictures, then more."""
        return Bank(torch.cat((self.embeddings, more.embeddings)), Batch.joined([self.scenes, more.scenes]))


@torch.no_grad()
def fill_bank(tower: nn.Module, art: Art, plan: Plan, number: int, device: torch.device) -> Bank:
    """Embed freshly composed training pictures once, many of two things or in other colors; the tower stays frozen."""
    composer = Composer(
        art, plan.size, device, plain=0.75, pairs=0.3, tints=0.15, styled=STYLED, places=PLACES
    )
    found, scenes = [], []
    torch.manual_seed(plan.seed)
    for _ in range(number // 256):
        batch = composer(256)
        with torch.autocast(device.type, torch.bfloat16):
            found.append(functional.normalize(tower(normalize(batch.pictures)).float(), dim=-1))
        scenes.append(replace(batch, pictures=batch.pictures[:, :0]))
    return Bank(torch.cat(found), Batch.joined(scenes))


@torch.no_grad()
def fill_scenes(
    tower: nn.Module, art: Art, plan: Plan, number: int, device: torch.device
) -> tuple[Bank, list[Scene]]:
    """Embed scenes of several things once, and what they show."""
    compose = scene_composer(art, plan.size, device, degraded=False)
    found, batches, shown = [], [], []
    torch.manual_seed(plan.seed + 1)
    for _ in range(number // 256):
        drawn = compose(256)
        with torch.autocast(device.type, torch.bfloat16):
            found.append(functional.normalize(tower(normalize(drawn.pictures)).float(), dim=-1))
        batch = as_batch(drawn)
        batches.append(replace(batch, pictures=batch.pictures[:, :0]))
        shown += drawn.scenes
    return Bank(torch.cat(found), Batch.joined(batches)), shown


@dataclass(frozen=True)
class TextBatch:
    """Tokens (n, context), meanings as shares of classes (n, classes), backgrounds or NO_COLOR and styles or PLAIN (n,).

    And `scenes` (p,) of the bank's pictures of two things or of things in a color not their own, with tokens (2p, context)
    of texts that tell them, then of texts that tell them the wrong way round or in another color.
    """

    tokens: Tensor
    meaning: Tensor
    colors: Tensor
    styles: Tensor
    scenes: Tensor
    told: Tensor


class CaptionStream(IterableDataset[TextBatch]):
    """Random captions without end, tokenized.

    `scenes` are the bank's pictures of more than a thing as it is, the last of them those of `shown`.
    """

    def __init__(
        self, writer: Writer, merges: Path, scenes: Batch, shown: list[Scene], number: int = SCENES
    ) -> None:
        self.writer, self.merges, self.seed, self.scenes = writer, merges, writer.seed, scenes
        self.shown, self.number = shown, number

    def __iter__(self) -> Iterator[TextBatch]:
        seed = seed_of_worker(self.seed)
        torch.manual_seed(seed)
        self.writer.random.seed(seed)
        tokenize = new_tokenizer(self.merges)
        while True:
            captions = [self.writer.caption() for _ in range(BATCH)]
            chosen = torch.randint(len(self.scenes.labels), (self.number,))
            told = [self.tell(index) for index in chosen.tolist()]
            yield TextBatch(
                tokenize([c.text for c in captions]),
                torch.stack([self.spread(c) for c in captions]),
                torch.tensor([c.color for c in captions]),
                torch.tensor([c.style for c in captions]),
                chosen,
                tokenize([true for true, _ in told] + [false for _, false in told]),
            )

    def tell(self, index: int) -> tuple[str, str]:
        """What is true of a picture, and the same with one thing wrong."""
        scene = self.scenes
        number = index - (len(scene.labels) - len(self.shown))
        if number >= 0:
            return right_and_wrong(self.shown[number], self.writer.words, self.writer.random)
        first, second, color, tint = (
            int(each[index]) for each in (scene.labels, scene.others, scene.colors, scene.tints)
        )
        if second == ALONE:
            other = (tint + self.writer.random.randrange(1, len(COLORS))) % len(COLORS)
            texts = [self.writer.recolored(first, each) for each in (tint, other)]
        else:
            stacked = bool(scene.stacked[index])
            texts = [self.writer.placed(*each, stacked) for each in ((first, second), (second, first))]
        if color != NO_COLOR and self.writer.random.random() < 0.3:
            texts = [self.writer.on_ground(text, color)[0] for text in texts]
        return texts[0], texts[1]

    def spread(self, caption: Caption) -> Tensor:
        """A caption's meaning as a row over all classes."""
        row = torch.zeros(len(self.writer.words))
        row[list(caption.meaning)] = torch.tensor(list(caption.meaning.values()))
        return row


class Targets:
    """Where texts should lie: on the prototypes, moved towards the background's color by as much as pictures are."""

    def __init__(self, seen: Classifier, bank: Bank, scenes: Bank) -> None:
        self.prototypes, self.colors, self.sides, self.styles = (
            each.detach() for each in (seen.prototypes, seen.colors, seen.sides, seen.styles)
        )
        self.bank, self.scenes = bank, scenes
        shown = bank.scenes
        self.color_share = self.fit_share(shown.colors != NO_COLOR, self.colors, shown.colors)
        self.style_share = self.fit_share(shown.styles != PLAIN, self.styles, shown.styles)

    def fit_share(self, on: Tensor, directions: Tensor, numbers: Tensor) -> float:
        """The multiple of a direction that, beside the name's, best explains the pictures (n,) that show it (least squares)."""
        pictures, shade = self.bank.embeddings[on], directions[numbers[on]]
        name = self.prototypes[self.bank.scenes.labels[on]]
        system = torch.stack([name, shade], -1)
        gram = (system.transpose(1, 2) @ system).mean(0)
        right = (system.transpose(1, 2) @ pictures[:, :, None]).mean(0)
        name_part, color_part = torch.linalg.solve(gram, right).flatten().tolist()
        return max(0.0, float(color_part / name_part))

    def regression(self, batch: TextBatch) -> Tensor:
        """Unit targets (n, width)."""
        shade = self.colors[batch.colors.clamp(min=0)] * (batch.colors != NO_COLOR)[:, None]
        style = self.styles[batch.styles] * (batch.styles != PLAIN)[:, None]
        name = functional.normalize(batch.meaning @ self.prototypes, dim=-1)
        return functional.normalize(name + self.color_share * shade + self.style_share * style, dim=-1)

    def loss(self, text: Tensor, batch: TextBatch) -> Tensor:
        """Regression, both classifications, and pictures against the captions of the batch."""
        near = 1 - (text * self.regression(batch)).sum(1)
        names = functional.cross_entropy(CLASS_SCALE * text @ self.prototypes.T, batch.meaning)
        shades = functional.cross_entropy(
            COLOR_SCALE * text @ self.colors.T, batch.colors, ignore_index=NO_COLOR
        )
        styles = functional.cross_entropy(
            COLOR_SCALE * text @ self.styles.T, batch.styles, ignore_index=PLAIN
        )
        told = 0.3 * (shades.nan_to_num() + styles.nan_to_num())
        return 4 * near.mean() + 0.5 * names + told + 0.5 * self.contrast(text, batch)

    def contrast(self, text: Tensor, batch: TextBatch) -> Tensor:
        """CLIP's loss from pictures to texts, where every caption that is true of a picture is a positive."""
        scenes = self.bank.scenes
        chosen = torch.randint(len(scenes.labels), (4 * BATCH,), device=text.device)
        label, color = scenes.labels[chosen], scenes.colors[chosen]
        true = batch.meaning[:, label].T
        true = true * ((batch.colors == NO_COLOR) | (batch.colors == color[:, None]))
        true = true * ((batch.styles == PLAIN) | (batch.styles == scenes.styles[chosen][:, None]))
        found = true.sum(1) > 0
        target = true[found] / true[found].sum(1, keepdim=True)
        return functional.cross_entropy(CLASS_SCALE * self.bank.embeddings[chosen][found] @ text.T, target)

    def scene_loss(self, told: Tensor, chosen: Tensor) -> Tensor:
        """Texts (2p, width) of pictures (p,) of more than a thing as it is, the second half wrong, against these pictures.

        A text lies where its picture lies, each picture finds its text among all of them, most of all beside the wrong one,
        and each text its picture; and what is on which side can be read out of the text as of the picture.
        """
        pictures, scene = self.scenes.embeddings[chosen], self.scenes.scenes.only(chosen)
        true, rows = told[: len(chosen)], torch.arange(len(chosen), device=told.device)
        near = 1 - (true * pictures).sum(1).mean()
        texts = functional.cross_entropy(CLASS_SCALE * pictures @ told.T, rows)
        found = functional.cross_entropy(CLASS_SCALE * true @ pictures.T, rows)
        sided = scene.sided
        side = side_loss(true[sided], self.sides, self.prototypes, CLASS_SCALE, scene.only(sided))
        return 4 * near + texts + 0.5 * found + 0.3 * side


def load_towers(name: str, work: Path, art: Art, device: torch.device) -> tuple[Any, Classifier]:
    """A CLIP with the trained vision tower, and the classifier that this was trained in, with unit prototypes and colors."""
    plan = PLANS[name]
    state = torch.load(work / f"{name}-vision.pt", map_location=device, weights_only=True)
    classifier = new_classifier(plan, len(art.words))
    averaged = {k.removeprefix("module."): v for k, v in state["ema"].items() if k.startswith("module.")}
    classifier.load_state_dict(averaged)
    torch.manual_seed(plan.seed)
    clip: Any = open_clip_model(plan.model_cfg)
    clip.visual.load_state_dict(classifier.tower.state_dict())
    clip.to(device)
    classifier.to(device).requires_grad_(requires_grad=False)
    for each in (classifier.prototypes, classifier.colors, classifier.styles):
        each.copy_(functional.normalize(each, dim=-1))
    return clip, classifier


@torch.no_grad()
def between(prototypes: Tensor, pictures: Tensor, art: Art) -> Tensor:
    """Half way from the classifier's prototypes (classes, width) to the means of the drawings (n, width), icons a tenth of them.

    A classifier's prototypes avoid each other; what is drawn lies nearer the means. Pictures of a style that was left out
    were named right more often by what lies between than by either.
    """
    parts = shares(art).to(pictures)[:, None] * pictures
    sums = torch.zeros_like(prototypes).index_add_(0, art.labels.to(pictures.device), parts)
    return functional.normalize(prototypes + functional.normalize(sums, dim=-1), dim=-1)


def text_parameters(clip: Any) -> list[nn.Parameter]:
    """All parameters of the text tower."""
    for parameter in clip.parameters():
        parameter.requires_grad_(requires_grad=False)
    parts = (clip.transformer, clip.token_embedding, clip.ln_final)
    found = [p for part in parts for p in part.parameters()] + [
        clip.positional_embedding,
        clip.text_projection,
    ]
    for parameter in found:
        parameter.requires_grad_(requires_grad=True)
    return found


@torch.no_grad()
def embedded_names(clip: Any, art: Art, merges: Path, device: torch.device) -> Tensor:
    """Unit embeddings (templates, classes, width) of all names."""
    tokenize = new_tokenizer(merges)
    return torch.stack(
        [
            torch.cat(
                [clip.encode_text(tokenize(part).to(device), normalize=True) for part in chunks(prompts)]
            )
            for prompts in name_prompts(art.names)
        ]
    )


def chunks(items: list[str], size: int = 256) -> list[list[str]]:
    """Consecutive parts of a list."""
    return [items[i : i + size] for i in range(0, len(items), size)]


@torch.no_grad()
def fit_scale(texts: Tensor, bank: Bank) -> float:
    """The logit scale with the smallest cross-entropy over composed training pictures."""
    cosines = bank.embeddings @ texts.T
    losses = {s: functional.cross_entropy(s * cosines, bank.scenes.labels).item() for s in range(4, 101, 2)}
    return float(min(losses, key=losses.__getitem__))


def train(options: argparse.Namespace) -> None:
    """Fit the text tower and write the whole CLIP's state."""
    device, plan = torch.device(options.device), PLANS[options.name]
    drawn = load_art(options.data, options.icons)
    art = drawn.only(~style_mask(drawn, plan.left_out))
    if not options.merges.exists():
        write_merges(learn_merges(vocabulary_text(art.words), MERGES), options.merges)
    clip, seen = load_towers(options.name, options.work, art, device)
    clip.eval()
    seen.prototypes.copy_(between(seen.prototypes, embed(clip.visual, art.clean, plan.size, device), art))
    bank = fill_bank(clip.visual, art, plan, 2 * BANK, device)
    plain = (bank.scenes.others == ALONE) & (bank.scenes.tints == NO_COLOR)
    several, shown = fill_scenes(clip.visual, art, plan, BANK, device)
    scenes, bank = bank.only(~plain).with_(several), bank.only(plain)
    targets = Targets(seen, bank, scenes)
    parts = {"color_share": targets.color_share, "style_share": targets.style_share}
    print(json.dumps({name: round(share, 3) for name, share in parts.items()}), flush=True)
    if options.weights:
        kept = load_exported(options.weights, options.name).state_dict()
        tokenizers = [new_tokenizer(each) for each in (options.weights / "merges.txt.gz", options.merges)]
        kept["token_embedding.weight"] = led_over(kept["token_embedding.weight"], *tokenizers)
        clip.load_state_dict({k: v for k, v in kept.items() if not k.startswith("visual.")}, strict=False)
    rates = (options.rate * MUON_RATE, options.rate * RATE)
    optimizers = muon(clip.transformer, text_parameters(clip), rates, BETAS)
    run = TrainingRun(f"{options.name}-text", clip, optimizers, options, cosine)
    writer = Writer(art.words, spoken_colors(art), plan.seed + run.step)
    told = scenes.scenes.to(torch.device("cpu"))
    stream = CaptionStream(writer, options.merges, told, shown, options.scenes)
    batches = iter(DataLoader(stream, batch_size=None, num_workers=options.workers, prefetch_factor=8))

    def batch() -> Tensor:
        made = next(batches)
        made = TextBatch(**{f.name: getattr(made, f.name).to(device) for f in fields(made)})
        with torch.autocast(device.type, torch.bfloat16):
            text = encode_by_length(clip, torch.cat((made.tokens, made.told)))
        text, told = functional.normalize(text.float(), dim=-1).split((BATCH, 2 * options.scenes))
        loss = targets.loss(text, made) + SCENE_LOSS * targets.scene_loss(told, made.scenes)
        return loss.expand(BATCH)

    held = {style: drawn.only(style_mask(drawn, (style,))) for style in plan.left_out}
    pictures = {
        style: embed(clip.visual, each.clean, plan.size, device)
        for style, each in held.items()
        if len(each.labels)
    }

    def test(mean: nn.Module) -> dict[str, Any]:
        texts = embedded_names(mean, art, options.merges, device)[0]
        found = {style: (each @ texts.T).argmax(1).cpu() for style, each in pictures.items()}
        right = {style: (each == held[style].labels).float().mean() for style, each in found.items()}
        return {f"held:{style}": round(float(share), 4) for style, share in right.items()}

    run.train(batch, test)
    clip = run.ema.module
    texts = embedded_names(clip, art, options.merges, device).mean(0)
    scale = fit_scale(functional.normalize(texts, dim=-1), bank)
    clip.logit_scale.data.fill_(math.log(scale))
    print(json.dumps({"logit_scale": scale}), flush=True)
    torch.save(clip.state_dict(), options.work / f"{options.name}-clip.pt")


def encode_short(clip: Any, tokens: Tensor) -> Tensor:
    """open_clip's encode_text without the padding: the tower is causal, so what follows the end changes nothing."""
    ends = tokens.argmax(1)
    length = int(ends.max()) + 1
    embedded = clip.token_embedding(tokens[:, :length]) + clip.positional_embedding[:length]
    hidden = clip.ln_final(clip.transformer(embedded, attn_mask=clip.attn_mask[:length, :length]))
    pooled: Tensor = hidden[torch.arange(len(tokens), device=tokens.device), ends] @ clip.text_projection
    return pooled


def encode_by_length(clip: Any, tokens: Tensor, parts: int = 3) -> Tensor:
    """Texts of like length together, which saves half of the work."""
    order = tokens.argmax(1).argsort()
    encoded = torch.cat([encode_short(clip, tokens[rows]) for rows in order.chunk(parts)])
    return encoded[order.argsort()]


def cosine(step: int, progress: float) -> float:
    """The share of the peak rates: it rises, then falls to a thousandth."""
    return min(1.0, step / WARM) * (0.5 + 0.5 * math.cos(math.pi * min(1.0, progress)) + 1e-3)


def main() -> None:
    """Fit the text tower of one of the plans."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=PLANS)
    parser.add_argument("--data", type=Path, default=Path("training/work/data.npz"))
    parser.add_argument("--icons", type=Path, help="the archive of icons.py: more names")
    parser.add_argument("--work", type=Path, default=Path("training/work"))
    parser.add_argument("--merges", type=Path, default=Path("pixforge/models/embedded/merges.txt.gz"))
    parser.add_argument("--minutes", type=float, default=6)
    parser.add_argument("--rate", type=float, default=1.0, help="factor of the peak rates")
    parser.add_argument("--workers", type=int, default=1, help="processes that write captions")
    parser.add_argument("--scenes", type=int, default=SCENES, help="pictures of several things in a step")
    parser.add_argument("--fresh", action="store_true", help="ignore an earlier checkpoint")
    parser.add_argument("--weights", type=Path, help="start from the exported text tower in this folder")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    train(parser.parse_args())


if __name__ == "__main__":
    main()
