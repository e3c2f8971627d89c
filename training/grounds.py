"""Places for things to be in, drawn with torch: each is a function of (n, size, device) that gives pictures (n, 3, size, size).

Colors, horizons and details are random for each picture. Values are in 0..1. A sheet of all: `python training/grounds.py grounds.png`
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence

import torch
from filters import blur, filled
from torch import Tensor
from torch.nn import functional

Ground = Callable[[int, int, torch.device], Tensor]
Color = tuple[float, float, float]


def rows_and_columns(size: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """How far down (1, 1, s, 1) and across (1, 1, 1, s) each pixel is, in 0..1."""
    axis = (torch.arange(size, device=device) + 0.5) / size
    return axis.view(1, 1, -1, 1), axis.view(1, 1, 1, -1)


def some(n: int, low: float, high: float, device: torch.device) -> Tensor:
    """A number for each picture: (n, 1, 1, 1)."""
    return torch.rand(n, 1, 1, 1, device=device) * (high - low) + low


def chance(n: int, share: float, device: torch.device) -> Tensor:
    """1 for this share of the pictures, else 0: (n, 1, 1, 1)."""
    return (torch.rand(n, 1, 1, 1, device=device) < share).float()


def colors(which: Tensor, choices: Sequence[Color], jitter: float = 0.035) -> Tensor:
    """For each of which (n,) about that of the choices: (n, 3, 1, 1)."""
    table = torch.tensor(choices, device=which.device)
    chosen = table[which] + torch.randn(len(which), 3, device=which.device) * jitter
    return chosen.clamp(0, 1)[..., None, None]


def any_color(n: int, choices: Sequence[Color], device: torch.device, jitter: float = 0.035) -> Tensor:
    """About one of the choices for each picture: (n, 3, 1, 1)."""
    return colors(torch.randint(len(choices), (n,), device=device), choices, jitter)


def noise(n: int, size: int, down: float, across: float, device: torch.device) -> Tensor:
    """Smooth noise (n, 1, s, s) in 0..1 with so many spots down and across."""
    shape = max(2, min(size, round(down))), max(2, min(size, round(across)))
    spots = torch.rand(n, 1, *shape, device=device)
    return functional.interpolate(spots, size=(size, size), mode="bicubic", align_corners=False).clamp(0, 1)


def mix(below: Tensor, above: Tensor, share: Tensor) -> Tensor:
    """Above over below where share (n, 1, s, s) is 1."""
    return below + (above - below) * share


def under(y: Tensor, line: Tensor) -> Tensor:
    """1 below a line that is so far down, 0 above, with one soft pixel between."""
    return ((y - line) * y.shape[2] + 0.5).clamp(0, 1)


def hills(n: int, size: int, height: Tensor, wave: float, device: torch.device) -> Tensor:
    """A rolling horizon (n, 1, 1, s) around a height (n, 1, 1, 1)."""
    _, x = rows_and_columns(size, device)
    phase = some(n, 0, 2 * math.pi, device)
    first = torch.sin(x * some(n, 2, 6, device) + phase)
    second = torch.sin(x * some(n, 7, 13, device) + 2 * phase) * 0.4
    return height + wave * (first + second)


def heaven(n: int, size: int, device: torch.device, cloudy: float) -> Tensor:
    """A sky by day, in the evening or with an overcast, and clouds for this share."""
    y, _ = rows_and_columns(size, device)
    kind = torch.multinomial(torch.tensor([0.6, 0.2, 0.2], device=device), n, replacement=True)
    high = colors(kind, [(0.25, 0.55, 0.92), (0.42, 0.42, 0.78), (0.62, 0.7, 0.8)])
    low = colors(kind, [(0.72, 0.88, 0.98), (0.99, 0.76, 0.55), (0.87, 0.9, 0.92)])
    sky = high + (low - high) * (y * some(n, 1.0, 1.7, device)).clamp(0, 1)
    puffs = (
        noise(n, size, 6, 4, device) * 0.6
        + noise(n, size, 13, 8, device) * 0.3
        + noise(n, size, 26, 16, device) * 0.1
    )
    cloud = ((puffs - some(n, 0.42, 0.55, device)) * 7).clamp(0, 1) * chance(n, cloudy, device)
    shade = 1 - 0.16 * ((puffs - 0.62) * 4).clamp(0, 1)
    return mix(sky, shade * torch.tensor([0.98, 0.98, 1.0], device=device).view(1, 3, 1, 1), cloud * 0.92)


def sky(n: int, size: int, device: torch.device) -> Tensor:
    """Nothing but sky, with clouds mostly."""
    return heaven(n, size, device, 0.85).clamp(0, 1)


def grass(n: int, size: int, device: torch.device) -> Tensor:
    """A meadow with blades and flowers under a sky."""
    y, _ = rows_and_columns(size, device)
    horizon = some(n, 0.42, 0.62, device)
    line = hills(n, size, horizon, 0.025, device)
    near = ((y - horizon) / (1 - horizon)).clamp(0, 1)
    green = [(0.35, 0.62, 0.18), (0.22, 0.55, 0.22), (0.48, 0.66, 0.2), (0.3, 0.7, 0.3)]
    meadow = any_color(n, green, device) * (1.12 - 0.35 * near)
    patches = noise(n, size, 8, 5, device) - 0.5
    blades = (noise(n, size, size / 4, size / 1.6, device) - 0.5) * (0.25 + near)
    meadow = meadow * (1 + 0.18 * patches + 0.5 * blades)
    places = (torch.rand(n, 1, size, size, device=device) > 1 - 45 / size**2).float()
    side = max(1, size // 48)
    flowers = functional.max_pool2d(functional.pad(places, (side - 1, 0, side - 1, 0)), side, 1)
    petals = any_color(n, [(1, 1, 0.95), (0.98, 0.85, 0.2), (0.9, 0.3, 0.35), (0.7, 0.5, 0.9)], device)
    meadow = mix(meadow, petals, flowers * (near > 0.15) * chance(n, 0.5, device))
    return mix(heaven(n, size, device, 0.5), meadow, under(y, line)).clamp(0, 1)


def sea(n: int, size: int, device: torch.device) -> Tensor:
    """Water with waves up to a straight horizon."""
    y, x = rows_and_columns(size, device)
    horizon = some(n, 0.38, 0.58, device)
    near = ((y - horizon) / (1 - horizon)).clamp(0, 1)
    water = any_color(n, [(0.1, 0.42, 0.68), (0.08, 0.52, 0.62), (0.12, 0.3, 0.6), (0.2, 0.58, 0.75)], device)
    light = any_color(n, [(0.62, 0.83, 0.92), (0.75, 0.87, 0.9)], device)
    deep = mix(water * 0.5 + light * 0.5, water * 0.85, near.sqrt())
    # Rows of waves stand closer together far away.
    phase = (
        some(n, 9, 14, device) / (near + 0.25)
        + (noise(n, size, 10, 5, device) - 0.5) * 5
        + x * some(n, -3, 3, device)
    )
    crest = torch.sin(phase * 2.2).clamp(min=0).pow(2) * (0.2 + near * 0.7)
    broken = (noise(n, size, size / 3, 9, device) * 1.7 - 0.35).clamp(0, 1)
    deep = mix(deep, light, 0.65 * crest * broken) * (
        1 - 0.12 * torch.sin(phase * 2.2 + 1.6).clamp(min=0) * near
    )
    return mix(heaven(n, size, device, 0.5), deep, under(y, horizon)).clamp(0, 1)


def night(n: int, size: int, device: torch.device, moons: float = 0.25) -> Tensor:
    """Stars in a dark sky, a moon for this share, and dark hills."""
    y, x = rows_and_columns(size, device)
    kind = torch.randint(3, (n,), device=device)
    high = colors(kind, [(0.02, 0.03, 0.12), (0.05, 0.02, 0.14), (0.01, 0.04, 0.1)], 0.015)
    low = colors(kind, [(0.12, 0.17, 0.38), (0.28, 0.14, 0.38), (0.07, 0.22, 0.32)], 0.03)
    dark = high + (low - high) * y
    bright = torch.rand(n, 1, size, size, device=device)
    few = (bright > 1 - 16 / size**2).float()
    many = (bright.flip(3) > 1 - 60 / size**2).float() * torch.rand(n, 1, size, size, device=device)
    width = size / 64
    glow = blur(few, 0.55 * width) * 3.2 * width**2 + blur(few, 1.4 * width) * 2 * width**2
    dark = dark + glow.clamp(0, 1) + (blur(many, 0.4 * width) * 1.8 * width**2).clamp(0, 0.9)
    middle_x, middle_y, radius = (
        some(n, 0.12, 0.88, device),
        some(n, 0.1, 0.25, device),
        some(n, 0.06, 0.1, device),
    )
    away = ((x - middle_x).square() + (y - middle_y).square()).sqrt()
    bite = ((x - middle_x - radius * some(n, 0.4, 3, device)).square() + (y - middle_y).square()).sqrt()
    disk = ((radius - away) * size).clamp(0, 1) * ((bite - radius) * size).clamp(0, 1)
    moon = chance(n, moons, device)
    dark = dark + moon * 0.25 * torch.exp(-away / radius * 0.8)
    dark = mix(dark, torch.tensor([0.98, 0.95, 0.82], device=device).view(1, 3, 1, 1), disk * moon)
    line = hills(n, size, some(n, 0.66, 0.78, device), 0.03, device)
    earth = any_color(n, [(0.03, 0.08, 0.08), (0.05, 0.06, 0.12), (0.06, 0.1, 0.06)], device, 0.015)
    earth = earth * (1.6 - y * 0.6) * (0.8 + 0.4 * noise(n, size, size / 4, size / 2, device))
    return mix(dark, earth, under(y, line)).clamp(0, 1)


def boards(n: int, size: int, near: Tensor, device: torch.device) -> Tensor:
    """Brightness (n, 1, s, s) of floor boards that meet far away; near (n, 1, s, 1) is 0 at the wall."""
    _, x = rows_and_columns(size, device)
    across = (x - some(n, 0.3, 0.7, device)) / (near * 0.9 + 0.55) * some(n, 5, 9, device) + 32
    shade = torch.rand(n, 1, 64, device=device)
    plank = filled(shade, across[:, 0].long().clamp(0, 63))
    away = (across % 1 - 0.5).abs()
    return 0.82 + 0.25 * plank - 0.35 * ((away - 0.44) * 16).clamp(0, 1)


def room(n: int, size: int, device: torch.device) -> Tensor:
    """A papered or plain wall, a skirting board, and a floor of boards or carpet; sometimes a window."""
    y, x = rows_and_columns(size, device)
    horizon = some(n, 0.5, 0.64, device)
    wall = any_color(
        n,
        [(0.93, 0.88, 0.76), (0.75, 0.85, 0.8), (0.7, 0.78, 0.9), (0.92, 0.75, 0.72), (0.85, 0.85, 0.86)],
        device,
    )
    stripes = ((torch.sin(x * 2 * math.pi * some(n, 5, 9, device)) * 6).clamp(-1, 1) * 0.5 + 0.5) * chance(
        n, 0.35, device
    )
    wall = wall * (1 - 0.07 * stripes) * (1.03 - 0.16 * (x - some(n, 0, 1, device)).abs() - 0.08 * y)
    window = chance(n, 0.3, device)
    left, top, width = some(n, 0.05, 0.62, device), some(n, 0.06, 0.12, device), some(n, 0.22, 0.32, device)
    inside_x, inside_y = (x - left) / width, (y - top) / (width * 1.1)
    edge = torch.minimum(torch.minimum(inside_x, 1 - inside_x), torch.minimum(inside_y, 1 - inside_y))
    bars = torch.minimum((inside_x - 0.5).abs(), (inside_y - 0.5).abs())
    frame = (edge > 0) * ((edge < 0.08) | (bars < 0.04))
    view = torch.where(
        frame, torch.ones_like(wall), any_color(n, [(0.65, 0.85, 0.98)], device) + 0.15 * inside_y
    )
    wall = mix(wall, view, (edge > 0) * window)
    near = ((y - horizon) / (1 - horizon)).clamp(0, 1)
    wood = any_color(n, [(0.68, 0.46, 0.27), (0.5, 0.32, 0.2), (0.8, 0.62, 0.42), (0.6, 0.4, 0.3)], device)
    carpet = any_color(n, [(0.55, 0.2, 0.22), (0.25, 0.35, 0.5), (0.45, 0.5, 0.4), (0.6, 0.55, 0.5)], device)
    pile = 0.95 + 0.1 * torch.rand(n, 1, size, size, device=device)
    floor = torch.where(chance(n, 0.65, device) > 0, wood * boards(n, size, near, device), carpet * pile) * (
        0.82 + 0.25 * near
    )
    skirting = any_color(n, [(0.96, 0.95, 0.92), (0.45, 0.3, 0.2)], device)
    wall = mix(wall, skirting, under(y, horizon - 0.035))
    return mix(wall, floor, under(y, horizon)).clamp(0, 1)


def snow(n: int, size: int, device: torch.device) -> Tensor:
    """Drifts of snow under a pale sky, with falling flakes mostly."""
    y, _ = rows_and_columns(size, device)
    high = any_color(n, [(0.6, 0.7, 0.82), (0.7, 0.75, 0.82), (0.5, 0.68, 0.9), (0.66, 0.62, 0.76)], device)
    pale = high + (0.9 - high) * y
    far = hills(n, size, some(n, 0.4, 0.5, device), 0.05, device)
    line = hills(n, size, some(n, 0.52, 0.62, device), 0.03, device)
    white = torch.tensor([0.93, 0.96, 1.0], device=device).view(1, 3, 1, 1)
    blue = torch.tensor([0.72, 0.8, 0.92], device=device).view(1, 3, 1, 1)
    drifts = (noise(n, size, 9, 3, device) * 0.7 + noise(n, size, 20, 8, device) * 0.3 - 0.35).clamp(0, 1)
    # A slope facing the light is white; the other side is blue.
    field = mix(white, blue, (drifts * 1.3 + 0.35 * (1 - y)).clamp(0, 1))
    pale = mix(pale, mix(high, blue, torch.full_like(y, 0.75)), under(y, far))
    picture = mix(pale, field, under(y, line))
    width = size / 64
    places = (torch.rand(n, 1, size, size, device=device) > 1 - 70 / size**2).float()
    flakes = (blur(places, 0.7 * width) * 3.5 * width**2).clamp(0, 1) * chance(n, 0.75, device)
    return mix(picture, torch.ones_like(white), flakes).clamp(0, 1)


def table(n: int, size: int, device: torch.device) -> Tensor:
    """A table of wood or under a checked or plain cloth, before a wall."""
    y, x = rows_and_columns(size, device)
    back, front = some(n, 0.5, 0.58, device), some(n, 0.85, 0.92, device)
    wall = any_color(
        n, [(0.86, 0.8, 0.7), (0.55, 0.62, 0.6), (0.62, 0.7, 0.8), (0.8, 0.65, 0.6), (0.4, 0.42, 0.5)], device
    )
    wall = wall * (1.05 - 0.25 * (x - some(n, 0, 1, device)).abs() - 0.15 * y)
    depth = ((y - back) / (front - back)).clamp(0, 1)
    inset = some(n, 0.06, 0.16, device) * (1 - depth) + some(n, -0.04, 0.03, device)
    across = (x - inset) / (1 - 2 * inset)
    on = ((torch.minimum(x - inset, 1 - inset - x)) * size + 0.5).clamp(0, 1)
    streaks = noise(n, size, size / 2.5, 4, device) * 0.6 + noise(n, size, size / 5, 3, device) * 0.4
    wood = any_color(
        n, [(0.66, 0.43, 0.24), (0.45, 0.28, 0.17), (0.82, 0.64, 0.42), (0.58, 0.36, 0.26)], device
    )
    top = wood * (0.8 + 0.35 * streaks)
    checks = some(n, 4, 7, device).round()
    odd = ((across * 2 * checks).floor() + ((depth + 0.4).log() * 5).floor()) % 2
    cloth = any_color(n, [(0.8, 0.15, 0.15), (0.2, 0.4, 0.75), (0.25, 0.55, 0.35)], device)
    cloth = mix(cloth, torch.ones_like(cloth) * 0.95, odd)
    plain = any_color(n, [(0.95, 0.94, 0.9), (0.75, 0.83, 0.9), (0.93, 0.8, 0.6)], device).expand_as(cloth)
    kind = torch.rand(n, 1, 1, 1, device=device)
    top = torch.where(kind < 0.65, top, torch.where(kind < 0.82, cloth, plain)) * (0.86 + 0.18 * depth)
    edge = top * 0.62
    below = wall * 0.55
    thick = some(n, 0.035, 0.06, device)
    picture = mix(wall, top, under(y, back) * on)
    picture = mix(picture, below, under(y, front + thick))
    return mix(picture, edge, under(y, front) * (1 - under(y, front + thick)) * on).clamp(0, 1)


def desert(n: int, size: int, device: torch.device) -> Tensor:
    """Three rows of dunes with ripples under a hot sky."""
    y, x = rows_and_columns(size, device)
    picture = heaven(n, size, device, 0.15)
    sand = any_color(n, [(0.9, 0.72, 0.42), (0.85, 0.6, 0.36), (0.93, 0.8, 0.56), (0.8, 0.52, 0.34)], device)
    start = some(n, 0.4, 0.5, device)
    for index in range(3):
        line = hills(n, size, start + 0.09 * index, 0.04, device)
        # The light comes from one side: a dune is darker where it falls away.
        fall = functional.pad(line, (1, 1, 0, 0), mode="replicate")
        slope = (fall[..., 2:] - fall[..., :-2]) * size * 0.6
        depth = (y - line).clamp(min=0)
        shade = 1 - (slope.clamp(-0.25, 0.25) * torch.exp(-depth * 6)) + 0.05 * index - 0.12 * depth
        ripple = torch.sin(
            (y * 60 + 4 * torch.sin(x * 6 + index) + noise(n, size, 6, 6, device) * 6) * (1.2 - 0.25 * index)
        )
        picture = mix(
            picture, sand * (0.9 * shade + 0.025 * ripple * (depth * 8).clamp(0, 1)), under(y, line)
        )
    return picture.clamp(0, 1)


GROUNDS: dict[str, Ground] = {
    "sky": sky,
    "grass": grass,
    "sea": sea,
    "night": night,
    "room": room,
    "snow": snow,
    "table": table,
    "desert": desert,
}
# What is said of things there; {} is the things.
GROUND_CAPTIONS: dict[str, tuple[str, ...]] = {
    "sky": ("{} in the sky", "{} among clouds", "{} up in the sky"),
    "grass": ("{} on grass", "{} on a meadow", "{} in the grass", "{} on a green field"),
    "sea": ("{} on the sea", "{} on the water", "{} at sea", "{} on the ocean"),
    "night": ("{} at night", "{} under the stars", "{} under a starry sky", "{} in the night"),
    "room": ("{} in a room", "{} indoors", "{} on the floor"),
    "snow": ("{} in the snow", "{} on snow", "{} in winter"),
    "table": ("{} on a table", "{} on the table"),
    "desert": ("{} in the desert", "{} on sand", "{} in a desert"),
}
# How far down things stand, from -1 at the top to 1; where nothing is named, they float.
FLOORS: dict[str, tuple[float, float]] = {
    "grass": (0.45, 0.88),
    "sea": (0.4, 0.8),
    "night": (0.62, 0.9),
    "room": (0.45, 0.88),
    "snow": (0.4, 0.86),
    "table": (0.35, 0.66),
    "desert": (0.45, 0.88),
}


def with_grounds(pictures: Tensor, numbers: Tensor) -> Tensor:
    """Pictures (n, 3, s, s), each exchanged for the ground of its number (n,) among GROUNDS, or as it is if that is negative."""
    found = pictures.clone()
    for number, draw in enumerate(GROUNDS.values()):
        rows = (numbers == number).nonzero().squeeze(1)
        if len(rows):
            found[rows] = draw(len(rows), pictures.shape[-1], pictures.device)
    return found


def main() -> None:
    """Write a sheet: a row for each ground, six pictures of 128 pixels."""
    from PIL import Image

    sheet = torch.cat([torch.cat(list(draw(6, 128, torch.device("cpu"))), 2) for draw in GROUNDS.values()], 1)
    Image.fromarray((sheet.permute(1, 2, 0) * 255).round().to(torch.uint8).numpy()).save(sys.argv[1])


if __name__ == "__main__":
    main()
