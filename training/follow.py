"""Bring what was trained beside one perceptor over to the next, as the start of a further training.

A new perceptor puts texts and pictures elsewhere, and what reads its embeddings no longer understands them. Linear maps from
its embeddings to the old ones, put into the matrices that read them, undo most of that. Tokens, decoder and upsampler are
written for `--start` of their trainings:

    python training/follow.py --before OLD --weights NEW --out START
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from bpe import led_over
from captions import Writer, spoken_colors
from codes import placed
from compose import load_art
from export import halve, load_exported
from latents import BATCH, look, scene
from model import new_tokenizer
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional
from train_tokens import Speaker, tokenized

SEED = 5
UNCLIP = Path("plugins/unclip/pixforge_unclip/models")
RIDGE = 1e-3
"""Of the least squares, as a share of what a number of an embedding has on average."""
READERS = {
    "tokens": "sentence.weight",
    "decoder": "condition.told.0.weight",
    "upsampler": "condition.told.0.weight",
}
"""The matrix of each network that reads embeddings: a text's, or a picture's."""


@dataclass(frozen=True)
class Views:
    """Unit vectors (n, d) of the same texts, or of the same pictures, by the perceptor before and the new one."""

    before: Tensor
    after: Tensor

    def map(self) -> Tensor:
        """The matrix (d, d) that makes `before` of `after`, by least squares."""
        size = self.after.shape[1]
        gram = self.after.T @ self.after + RIDGE * len(self.after) / size * torch.eye(size)
        return torch.linalg.solve(gram, self.after.T @ self.before)

    def nearness(self, through: Tensor) -> float:
        """The mean cosine of `after`, led through a matrix, and `before`."""
        return round(float(functional.cosine_similarity(self.after @ through, self.before).mean()), 3)


def tokenizers_of(options: argparse.Namespace) -> list[Any]:
    """The tokenizers of the perceptor before and of the new one."""
    return [new_tokenizer(folder / "merges.txt.gz") for folder in (options.before, options.weights)]


@torch.no_grad()
def views(options: argparse.Namespace) -> tuple[Views, Views]:
    """What both perceptors make of captions, and of the pictures that these are about."""
    torch.manual_seed(SEED)
    art = load_art(options.data, options.icons)
    coded, writer, speaker = scene(art), Writer(art.words, spoken_colors(art), SEED), Speaker(art)
    clips = [load_exported(folder, "perceptor") for folder in (options.before, options.weights)]
    tokenizers = tokenizers_of(options)
    texts: tuple[list[Tensor], list[Tensor]] = ([], [])
    pictures: tuple[list[Tensor], list[Tensor]] = ([], [])
    for part in torch.randperm(len(coded.pictures))[: options.number].split(BATCH):
        shown = coded.at(part)
        said = [speaker.caption(writer, shown, index) for index in range(len(part))]
        said, drawn = [text for text in said if text], placed(art, shown)
        for clip, tokenizer, read, seen in zip(clips, tokenizers, texts, pictures, strict=True):
            read.append(clip.encode_text(tokenized(tokenizer, said), normalize=True))
            seen.append(look(clip, drawn))
    return Views(*map(torch.cat, texts)), Views(*map(torch.cat, pictures))


def fold(options: argparse.Namespace, maps: dict[str, Tensor]) -> None:
    """Write each network so that it reads the new embeddings through its map (d, d)."""
    options.out.mkdir(parents=True, exist_ok=True)
    for name, through in maps.items():
        state = load_file((options.before if name == "tokens" else UNCLIP) / f"{name}.safetensors")
        state[READERS[name]] = state[READERS[name]].float() @ through.T
        if name == "tokens":  # it reads the perceptor's tokens, too
            state["text.weight"] = led_over(state["text.weight"], *tokenizers_of(options))
        save_file(halve(state), options.out / f"{name}.safetensors")


def main() -> None:
    """Measure how far the embeddings have moved, and fold maps into what reads them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--before", type=Path, required=True, help="the folder of the perceptor before")
    parser.add_argument("--weights", type=Path, default=Path("pixforge/models/embedded"))
    parser.add_argument("--out", type=Path, default=Path("training/work/start"))
    parser.add_argument("--data", type=Path, default=Path("training/work/data.npz"))
    parser.add_argument("--icons", type=Path, help="the archive of icons.py: more names")
    parser.add_argument("--number", type=int, default=6000, help="of captions and pictures")
    options = parser.parse_args()
    texts, pictures = views(options)
    for name, each in (("texts", texts), ("pictures", pictures)):
        same = torch.eye(each.after.shape[1])
        found = {"as it is": each.nearness(same), "mapped": each.nearness(each.map())}
        print(json.dumps({name: found}))
    fold(options, {"tokens": texts.map(), "decoder": pictures.map(), "upsampler": pictures.map()})


if __name__ == "__main__":
    main()
