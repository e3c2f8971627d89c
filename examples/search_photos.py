"""Classify and search the photographs that scikit-image brings: `python examples/search_photos.py [MODEL]`.

The embedded model knows emoji only, so take its answers for what they are; with a large model, such as ViT-B-32/openai after
`pixforge models fetch ViT-B-32/openai`, the same lines name and find what is in the pictures.
"""

import sys
from pathlib import Path

import skimage

import pixforge

LABELS = ["a cat", "a cup of coffee", "an astronaut", "a rocket", "a motorcycle", "a camera"]
NAMES = ("chelsea.png", "coffee.png", "astronaut.png", "rocket.jpg", "motorcycle_left.png", "camera.png")


def main(model: str = "embedded", kept: str = "photographs-index") -> None:
    """Print the likeliest label of six photographs, and what is found for two queries in the whole folder."""
    folder = Path(skimage.__file__).parent / "data"
    for each in pixforge.classify([folder / name for name in NAMES], LABELS, perceptors=model):
        label, probability = each.top(1)[0]
        print(f"{Path(str(each.picture)).name:20} {label} ({probability:.0%})")
    with pixforge.Index(folder, perceptor=model, at=kept) as index:
        done = index.update()
        print(f"{done.pictures} photographs indexed, {len(done.skipped)} skipped")
        queries = {"a rocket": "a rocket", "like coffee.png": {"image": str(folder / "coffee.png")}}
        for words, query in queries.items():
            found = ", ".join(f"{each.path.name} {each.score:.2f}" for each in index.search([query], top=3))
            print(f"{words}: {found}")


if __name__ == "__main__":
    main(*sys.argv[1:])
