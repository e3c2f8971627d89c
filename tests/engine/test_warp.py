"""Cutouts: the batched warp equals a slow and obvious reference."""

import math

import pytest
import torch
import torch.nn.functional as F

from pixforge.engine.warp import ImagePyramid, compose_colors, halve, pyramid_levels, transform_colors


def box(x0: float, y0: float, x1: float, y1: float, size: tuple[int, int]) -> torch.Tensor:
    """The matrix of the rectangle in pixels."""
    width, height = size
    sx, sy = (x1 - x0) / width, (y1 - y0) / height
    return torch.tensor([[sx, 0, (x0 + x1) / width - 1], [0, sy, (y0 + y1) / height - 1], [0, 0, 1.0]])


@pytest.fixture
def picture() -> torch.Tensor:
    return torch.rand(1, 3, 32, 48, generator=torch.Generator().manual_seed(0))


def test_cut_of_exactly_s_pixels_is_those_pixels(picture):
    cut = ImagePyramid(picture, 1).sample(box(8, 4, 24, 20, (48, 32))[None, None], 16, "reflection")
    torch.testing.assert_close(cut[0, 0], picture[0, :, 4:20, 8:24], atol=1e-5, rtol=0)


def test_cut_of_twice_s_is_read_from_the_halved_picture(picture):
    cut = ImagePyramid(picture, 2).sample(box(0, 0, 32, 32, (48, 32))[None, None], 16, "reflection")
    torch.testing.assert_close(cut[0, 0], F.avg_pool2d(picture, 2)[0, :, :16, :16], atol=1e-5, rtol=0)


def test_fine_stripes_do_not_alias():
    stripes = (torch.arange(64) % 2).float().expand(1, 3, 64, 64)
    cut = ImagePyramid(stripes, pyramid_levels((64, 64), 16)).sample(
        torch.eye(3)[None, None], 16, "reflection"
    )
    torch.testing.assert_close(cut, torch.full_like(cut, 0.5), atol=1e-5, rtol=0)


def test_small_cuts_keep_detail_that_the_halved_picture_has_lost():
    stripes = (torch.arange(64) % 2).float().expand(1, 3, 64, 64)
    cut = ImagePyramid(stripes, 3).sample(box(8, 8, 24, 24, (64, 64))[None, None], 16, "reflection")
    assert cut.std() > 0.45


def test_flip_and_quarter_turn(picture):
    square = picture[..., :32]
    flip = torch.diag(torch.tensor([-1.0, 1, 1]))
    turn = torch.tensor([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    cut = ImagePyramid(square, 1).sample(torch.stack([flip, turn])[None], 32, "reflection")
    torch.testing.assert_close(cut[0, 0], square[0].flip(-1), atol=1e-5, rtol=0)
    expected = torch.rot90(square[0], 1, (1, 2))  # output (x, y) shows input (-y, x)
    torch.testing.assert_close(cut[0, 1], expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("padding", ["reflection", "border", "gray", "black"])
def test_what_lies_outside(picture, padding):
    outside = box(-16, 0, 16, 32, (48, 32))[None, None]
    cut = ImagePyramid(picture, 1).sample(outside, 32, padding)[0, 0]
    inside = picture[0, :, :, :16]
    beyond = {
        "reflection": inside.flip(-1),
        "border": inside[..., :1].expand(-1, -1, 16),
        "gray": torch.full_like(inside, 0.5),
        "black": torch.zeros_like(inside),
    }[padding]
    torch.testing.assert_close(cut, torch.cat([beyond, inside], dim=-1), atol=1e-5, rtol=0)


def slow_sample(pictures: list, matrix: torch.Tensor, side: int, padding: str, gray: float) -> torch.Tensor:
    """The slow reference: pixel by pixel, from a list of halved pictures, with bilinear interpolation by definition."""
    height, width = pictures[0].shape[-2:]
    (a, b, _), (c, d, _), (_, _, w) = matrix.tolist()
    scale = (abs(a * d - b * c) * width * height) ** 0.5 / abs(w) / side
    level = pictures[min(max(round(math.log2(scale)), 0), len(pictures) - 1)]
    rows, columns = level.shape[-2:]

    def pixel(x: int, y: int) -> torch.Tensor:
        if padding == "wrap":
            return level[0, :, y % rows, x % columns]
        return level[0, :, min(max(y, 0), rows - 1), min(max(x, 0), columns - 1)]

    out = torch.zeros(3, side, side)
    for row in range(side):
        for column in range(side):
            point = torch.tensor([(column + 0.5) * 2 / side - 1, (row + 0.5) * 2 / side - 1, 1.0])
            x, y, depth = (matrix @ point).tolist()
            x, y = (x / depth + 1) / 2, (y / depth + 1) / 2
            if padding == "gray" and not (0 <= x <= 1 and 0 <= y <= 1):
                out[:, row, column] = gray
                continue
            if padding == "reflection":
                x, y = (1 - abs(each % 2 - 1) for each in (x, y))
            x, y = x * columns - 0.5, y * rows - 0.5
            left, top = math.floor(x), math.floor(y)
            for dx, share_x in ((0, left + 1 - x), (1, x - left)):
                for dy, share_y in ((0, top + 1 - y), (1, y - top)):
                    out[:, row, column] += share_x * share_y * pixel(left + dx, top + dy)
    return out


@pytest.mark.parametrize("size", [(48, 32), (37, 23)])
def test_every_pixel_is_that_of_a_slow_reference(size):
    """Tilted cutouts of all sizes, half outside, with every padding in one batch."""
    draws = torch.Generator().manual_seed(1)
    image = torch.rand(1, 3, size[1], size[0], generator=draws)
    levels, side = 3, 8
    halvings = [image]
    while len(halvings) < levels:
        halvings.append(halve(halvings[-1]))
    modes = [
        "reflection",
        "reflection",
        "border",
        "gray",
        "gray",
        "wrap",
        "wrap",
        "border",
        "gray",
        "reflection",
    ]
    matrices = torch.diag_embed(torch.rand(len(modes), 3, generator=draws) * 0.9 + 0.1)
    matrices += torch.randn(len(modes), 3, 3, generator=draws) * 0.2
    matrices[:, 2] = torch.tensor([0.0, 0, 1]) + torch.randn(len(modes), 3, generator=draws) * 0.1
    gray = torch.rand(1, len(modes), generator=draws)
    cut = ImagePyramid(image, levels, wrap=True).sample(matrices[None], side, modes, gray)
    for index, mode in enumerate(modes):
        slow = slow_sample(halvings, matrices[index], side, mode, float(gray[0, index]))
        torch.testing.assert_close(
            cut[0, index], slow, atol=2e-5, rtol=0, msg=lambda m, mode=mode: f"{mode}: {m}"
        )


@pytest.mark.parametrize("canvases", [1, 3])
@pytest.mark.parametrize("size", [(8, 6), (9, 7)])
def test_the_gradient_is_that_of_the_sampling(size, canvases):
    """Compare the two hand-written backward passes with finite differences."""
    draws = torch.Generator().manual_seed(2)
    image = torch.rand(canvases, 3, size[1], size[0], generator=draws).double().requires_grad_()
    matrices = torch.eye(3) * 1.4 + torch.randn(canvases, 4, 3, 3, generator=draws) * 0.3
    matrices[..., 2, :] = torch.tensor([0.05, -0.1, 1])

    def sample(pictures: torch.Tensor) -> torch.Tensor:
        return ImagePyramid(pictures, 3, wrap=True).sample(
            matrices, 4, ["wrap", "reflection", "gray", "border"]
        )

    assert torch.autograd.gradcheck(sample, (image,), fast_mode=False)


def test_several_cores_share_one_canvas_and_give_the_same_gradient(picture):
    gradients = []
    threads = torch.get_num_threads()
    try:
        for count in (1, 3):
            torch.set_num_threads(count)
            image = picture.clone().requires_grad_()
            cut = ImagePyramid(image, 2).sample(
                torch.eye(3).expand(1, 6, 3, 3) * torch.tensor([0.5, 0.5, 1]), 16, "border"
            )
            (cut * torch.linspace(0, 1, 16)).sum().backward()
            gradients.append(image.grad)
    finally:
        torch.set_num_threads(threads)
    torch.testing.assert_close(*gradients)


def test_batched_cutouts_equal_each_canvas_alone(picture):
    pictures = torch.cat([picture, picture.flip(-1)])
    matrices = torch.stack(
        [
            torch.stack([box(2, 3, 30, 31, (48, 32)), torch.eye(3)]),
            torch.stack([torch.eye(3), torch.eye(3) * 0.5]),
        ]
    )
    matrices[..., 2, 2] = 1
    both = ImagePyramid(pictures, 3).sample(matrices, 16, "reflection")
    for canvas in range(2):
        alone = ImagePyramid(pictures[canvas : canvas + 1], 3).sample(
            matrices[canvas : canvas + 1], 16, "reflection"
        )
        torch.testing.assert_close(both[canvas], alone[0])


def test_perspective_lands_the_corners_where_they_belong():
    from pixforge.builtin.augmentations.perspective import square_to_quad

    corners = torch.tensor([[-0.9, -0.7], [0.8, -1.0], [0.6, 0.9], [-1.0, 0.5]])
    square = torch.tensor([[-1.0, -1, 1], [1, -1, 1], [1, 1, 1], [-1, 1, 1]])
    places = square_to_quad(corners) @ square.T
    torch.testing.assert_close((places[:2] / places[2]).T, corners, atol=1e-5, rtol=0)


def test_every_pixel_of_the_picture_gets_gradient(picture):
    image = picture.clone().requires_grad_()
    ImagePyramid(image, 1).sample(torch.eye(3)[None, None], 48, "reflection").sum().backward()
    assert image.grad is not None
    assert (image.grad > 0).all()


@pytest.mark.parametrize("size", [(8, 6), (7, 5), (1, 1)])
def test_halving_rounds_up_and_keeps_the_mean(size):
    width, height = size
    flat = torch.full((1, 3, height, width), 0.3)
    half = halve(flat)
    assert half.shape[-2:] == ((height + 1) // 2, (width + 1) // 2)
    torch.testing.assert_close(half, torch.full_like(half, 0.3))


def test_color_matrices_compose_in_order():
    first = torch.rand(1, 2, 3, 4)
    second = torch.rand(1, 2, 3, 4)
    cutouts = torch.rand(1, 2, 3, 4, 4)
    stepwise = transform_colors(transform_colors(cutouts, first), second)
    torch.testing.assert_close(transform_colors(cutouts, compose_colors(first, second)), stepwise)
