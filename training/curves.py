"""Draw the training curves of both vision towers as one small PNG, with Pillow alone.

Usage: `python training/curves.py`
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from PIL import Image, ImageDraw

WIDTH, HEIGHT, MARGIN = 520, 260, 36
INKS = {"seen": "#1f77b4", "held": "#d62728"}


def read_points(log: Path) -> dict[str, list[tuple[float, float]]]:
    """Top-1 over thousands of views, for the style seen and the style held out."""
    points: dict[str, list[tuple[float, float]]] = {kind: [] for kind in INKS}
    for line in log.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if "test" in row:
            points[row["test"].split(":")[0]].append((row["views"] / 1000, row["top1"]))
    return points


def plot(name: str, points: dict[str, list[tuple[float, float]]]) -> Image.Image:
    """One panel: top-1 from 0 to 1 over the views."""
    panel = Image.new("RGB", (WIDTH, HEIGHT), "white")
    draw = ImageDraw.Draw(panel)
    most = max(x for line in points.values() for x, _ in line)

    def place(x: float, y: float) -> tuple[float, float]:
        return MARGIN + x / most * (WIDTH - 2 * MARGIN), HEIGHT - MARGIN - y * (HEIGHT - 2 * MARGIN)

    for tenth in range(0, 11, 2):
        y = place(0, tenth / 10)[1]
        draw.line([(MARGIN, y), (WIDTH - MARGIN, y)], fill="#dddddd")
        draw.text((6, y - 6), f"{tenth / 10:.1f}", fill="#444444")
    draw.text((MARGIN, 10), f"{name}: top-1 of the classifier over {most:.0f} thousand views", fill="#222222")
    for number, (kind, line) in enumerate(points.items()):
        draw.line([place(x, y) for x, y in line], fill=INKS[kind], width=2)
        draw.text(
            (MARGIN + 10 + 110 * number, HEIGHT - 24),
            {"seen": "style seen", "held": "style held out"}[kind],
            fill=INKS[kind],
        )
    return panel


def main() -> None:
    """Draw one panel for each log that is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("training/work"))
    parser.add_argument("--out", type=Path, default=Path("training/curves.png"))
    options = parser.parse_args()
    logs = [options.work / f"{name}-vision.jsonl" for name in ("perceptor", "judge")]
    panels = [plot(log.name.split("-")[0], read_points(log)) for log in logs if log.exists()]
    sheet = Image.new("RGB", (WIDTH, HEIGHT * len(panels)), "white")
    for row, panel in enumerate(panels):
        sheet.paste(panel, (0, row * HEIGHT))
    sheet.quantize(16).save(options.out, optimize=True)


if __name__ == "__main__":
    main()
