"""Regions of prompts, losses, filters and edits, and what is kept: nothing outside changes."""

import pytest
import torch
from PIL import Image

import pixforge
from pixforge.contracts import Region
from pixforge.engine.build import build
from pixforge.engine.regions import Masks, feathered
from pixforge.engine.step import backward
from pixforge.errors import InputError, RecipeError
from pixforge.testing import make_context

PLUGIN = """
import pixforge
from typing import Literal
from pixforge.testing import pixforge_perceptors


class WhiteConfig(pixforge.FilterConfig):
    type: Literal["white"] = "white"


class White(pixforge.Filter[WhiteConfig]):
    def forward(self, images, draws, step):
        return images * 0 + 1


class NearRedConfig(pixforge.LossConfig):
    type: Literal["near_red"] = "near_red"


class NearRed(pixforge.Loss[NearRedConfig]):
    sees_features = True

    def forward(self, view):
        return 1 - view.features()[..., 0].mean(dim=1)


class FlipConfig(pixforge.EditConfig):
    type: Literal["mirror"] = "mirror"


class Flip(pixforge.Edit[FlipConfig]):
    def forward(self, images, step):
        return images.flip(-1)


@pixforge.hookimpl
def pixforge_filters():
    return [White]


@pixforge.hookimpl
def pixforge_losses():
    return [NearRed]


@pixforge.hookimpl
def pixforge_edits():
    return [Flip]
"""


@pytest.fixture
def recipe(tmp_path):
    (tmp_path / "places.py").write_text(PLUGIN)

    def make(**fields):
        base = {
            "prompts": ["red"],
            "seed": 5,
            "size": [32, 16],
            "steps": 12,
            "canvases": 2,
            "generator": "pixels",
            "init": "noise",
            "perceptors": ["fake"],
            "augmentations": [],
            "losses": [],
            "cutouts": {"type": "random", "count": 6},
            "optimizer": {"type": "adam", "learning_rate": 0.2},
            "plugins": [str(tmp_path / "places.py")],
        }
        return pixforge.load_recipe({**base, **fields})

    return make


def mask(region, height=16, width=32):
    return Masks(make_context()).of(Region.model_validate(region), height, width)[0, 0]


def gradient(recipe):
    session = build(recipe)
    image = session.generator.forward(0).detach().requires_grad_()
    backward(session, image, 0)
    return image.grad


def final(recipe):
    return list(pixforge.optimize(recipe))[-1].image


def test_shapes_cover_what_they_say():
    assert mask("left")[:, :16].min() == 1
    assert mask("left")[:, 16:].max() == 0
    assert torch.equal(mask("left") + mask({"not": "left"}), torch.ones(16, 32))
    assert mask({"box": [4, 2, 8, "50%"]}).sum() == 4 * 6
    assert mask({"box": [0, 0, 0.5, 16]})[0, 0] == 0.5  # half a pixel
    assert mask(["left", "right"]).min() == 1
    assert float(mask({"ellipse": ["0%", "0%", "100%", "100%"]}).mean()) == pytest.approx(
        3.1416 / 4, abs=0.01
    )
    assert mask("center").sum() == 16 * 8


def test_an_edge_fades_over_the_feather_and_no_further():
    hard = torch.zeros(1, 1, 16, 64)
    hard[..., :32] = 1
    soft = feathered(hard, 8)[0, 0, 8]
    assert torch.equal(soft[:28], torch.ones(28))
    assert torch.equal(soft[36:], torch.zeros(28))
    assert bool((soft[28:36].diff() < 0).all())


@pytest.mark.parametrize(
    ("region", "message"),
    [
        ("middle", "a region is left, right"),
        ({"box": [0, 0, 4]}, "prompts[0].where.box"),
        ({"box": [8, 0, 4, 4]}, "its left 8.0 must be less than its right 4.0"),
        ({"box": [0, 0, "110%", 4]}, "a length is a number of pixels, or a percentage"),
        ({"side": "left", "box": [0, 0, 4, 4]}, "needs exactly one of side, box"),
        ({"image": "none.png"}, "there is no file"),
        ({"not": {"feather": 3}}, "needs exactly one of"),
    ],
)
def test_mistakes_are_located(recipe, region, message):
    with pytest.raises(RecipeError) as caught:
        recipe(prompts=[{"text": "red", "where": region}])
    assert message in str(caught.value)


def test_a_region_outside_the_picture_is_refused_before_the_first_step(recipe):
    with pytest.raises(InputError, match="nothing of the picture of 32 x 16 pixels lies in this region"):
        build(recipe(prompts=[{"text": "red", "where": {"box": [40, 0, 50, 16]}}]))


@pytest.mark.parametrize("chunk", ["auto", 4])
def test_the_gradient_of_a_prompt_is_exactly_zero_outside_its_region(recipe, chunk):
    found = gradient(recipe(prompts=[{"text": "red", "where": "left"}], chunk=chunk))
    assert bool(found[..., :16].abs().sum(dim=(1, 2, 3)).gt(0).all())
    assert not bool(found[..., 16:].any())


def test_chunks_give_the_same_gradient_with_regions(recipe):
    prompts = ["blue", {"text": "red", "where": "left"}, {"text": "green", "where": {"box": [20, 2, 30, 12]}}]
    torch.testing.assert_close(gradient(recipe(prompts=prompts)), gradient(recipe(prompts=prompts, chunk=5)))


def test_two_prompts_left_and_right_are_drawn_left_and_right(recipe):
    image = final(
        recipe(prompts=[{"text": "red", "where": "left"}, {"text": "blue", "where": "right"}], steps=40)
    )
    left, right = image[..., :16].mean(dim=(0, 2, 3)), image[..., 16:].mean(dim=(0, 2, 3))
    assert left[0] > 0.7 > 0.3 > left[2]
    assert right[2] > 0.7 > 0.3 > right[0]


def test_a_small_region_is_seen_in_cutouts_of_its_own(recipe):
    image = final(recipe(prompts=[{"text": "red", "where": {"box": [2, 2, 8, 8]}}], steps=40))
    assert image[..., 3:7, 3:7].mean(dim=(0, 2, 3))[0] > 0.7


@pytest.mark.parametrize("loss", ["smoothness", "saturation", "range", "symmetry"])
def test_a_loss_with_a_region_sees_and_moves_nothing_else(recipe, loss):
    def terms(image):
        session = build(
            recipe(losses=[{"type": loss, "where": "right"}], prompts=[{"text": "red", "weight": 1e-9}])
        )
        image = image.clone().requires_grad_()
        return backward(session, image, 0)[loss], image.grad

    image = (
        torch.rand(2, 3, 16, 32, generator=torch.Generator().manual_seed(1)) * 3 - 1
        if loss == "range"
        else (torch.rand(2, 3, 16, 32, generator=torch.Generator().manual_seed(1)))
    )
    value, found = terms(image)
    assert bool(found[..., 20:].abs().sum() > 0)
    other = image.clone()
    other[..., :12] = 0.5
    if loss != "symmetry":  # its mirror image lies on the other side
        assert torch.equal(terms(other)[0], value)


def test_a_loss_of_the_latent_refuses_a_region(recipe):
    with pytest.raises(InputError, match="latent does not look at places"):
        build(recipe(losses=[{"type": "latent", "where": "left"}]))


def test_a_filter_with_a_region_changes_nothing_outside(recipe):
    plain = build(recipe(prompts=["red"])).start().image
    image = build(recipe(filters=[{"type": "white", "where": "left"}])).start().image
    assert bool((image[..., :16] == 1).all())
    assert torch.equal(image[..., 16:], plain[..., 16:])


@pytest.mark.parametrize("generator", ["pixels", "fourier", "vqgan"])
def test_what_is_kept_is_the_picture_to_the_bit(recipe, generator, tmp_path):
    photo = torch.randint(0, 256, (16, 32, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(2))
    Image.fromarray(photo.numpy()).save(tmp_path / "photo.png")
    keep = {"image": str(tmp_path / "photo.png"), "where": {"not": "left"}}
    *_, report = pixforge.optimize(recipe(generator=generator, keep=keep, steps=3))
    start = build(recipe(generator=generator, keep=keep)).start()
    for each in (start, report):
        assert torch.equal(torch.from_numpy(each.pixels)[:, :, 16:], photo[:, 16:].expand(2, -1, -1, -1))
    assert not torch.equal(report.image[..., :16], start.image[..., :16])


def test_the_seam_of_what_is_kept_fades(recipe, tmp_path):
    Image.new("RGB", (32, 16), "white").save(tmp_path / "photo.png")
    keep = {"image": str(tmp_path / "photo.png"), "where": {"side": "right", "feather": 8}}
    row = build(recipe(keep=keep)).start().image[0, 0, 8]
    assert bool((row[20:] == 1).all())
    assert bool((row[13:19] < 1).all())


def test_a_loss_of_embeddings_has_the_gradient_of_one_graph(recipe):
    loss = [{"type": "near_red", "weight": 3}]
    session = build(recipe(losses=loss))
    image = session.generator.forward(0).detach().requires_grad_()
    backward(session, image, 0)
    leaf = image.detach().requires_grad_()
    plan = session.perception.plan(leaf, 0)
    perceptor = session.groups[0].perceptor
    seen = perceptor.encode_image(session.sampler.cut(leaf, plan, perceptor.input_size).flatten(0, 1)).view(
        2, 6, -1
    )
    (3 * (1 - seen[..., 0].mean(dim=1))).sum().backward()
    prompt = gradient(recipe())
    torch.testing.assert_close(image.grad, leaf.grad + prompt, atol=1e-6, rtol=1e-4)
    torch.testing.assert_close(image.grad, gradient(recipe(losses=loss, chunk=5)), atol=1e-6, rtol=1e-4)


def test_an_edit_changes_the_picture_and_keeps_the_moments(recipe):
    session = build(recipe(edits=[{"type": "mirror", "every": 4}], prompts=[{"text": "red", "weight": 1}]))
    loop = session.run()
    before = [next(loop) for _ in range(4)][-1].image.clone()  # the edit comes before the fifth step
    moment = loop.state().tensors["optimizer/adam/0/exp_avg"]
    after = next(loop).image
    assert float((after.flip(-1) - before).abs().mean()) < float((after - before).abs().mean())
    kept = loop.state().tensors["optimizer/adam/0/exp_avg"]
    assert float((kept - moment).abs().mean()) < float(moment.abs().mean())
    assert float(loop.state().tensors["optimizer/adam/0/step"]) == 5


def test_an_edit_with_a_region_leaves_the_rest(recipe):
    still = {"optimizer": {"type": "adam", "learning_rate": 1e-7}, "steps": 2}
    plain = list(pixforge.optimize(recipe(**still)))[-1].image
    image = list(pixforge.optimize(recipe(**still, edits=[{"type": "mirror", "where": "left"}])))[-1].image
    torch.testing.assert_close(image[..., 16:], plain[..., 16:], atol=1e-5, rtol=0)
    torch.testing.assert_close(image[..., :16], plain.flip(-1)[..., :16], atol=1e-5, rtol=0)


def test_the_last_picture_is_one_that_its_steps_have_made(recipe):
    plain = list(pixforge.optimize(recipe(steps=3)))[-1].image
    edited = list(pixforge.optimize(recipe(steps=3, edits=[{"type": "mirror", "every": 3}])))[-1].image
    assert torch.equal(plain, edited)


@pytest.mark.parametrize("generator", ["pixels", "fourier"])
def test_a_run_with_edits_goes_on_to_the_same_bits(recipe, generator):
    made = recipe(generator=generator, edits=[{"type": "mirror", "every": 3}])
    whole = [report.image for report in build(made).run()]
    loop = build(made).run()
    for _ in range(5):
        next(loop)
    state = loop.state()
    rest = [report.image for report in build(made).run(state)]
    assert torch.equal(torch.stack(rest), torch.stack(whole[5:]))


def test_a_generator_that_takes_no_picture_refuses_edits(recipe, tmp_path):
    (tmp_path / "blind.py").write_text(
        "import torch, pixforge\nfrom typing import Literal\n"
        "class BlindConfig(pixforge.Config):\n    type: Literal['blind'] = 'blind'\n"
        "class Blind(pixforge.Generator[BlindConfig]):\n"
        "    def __init__(self, config, context):\n        super().__init__(config, context)\n"
        "        self.z = torch.zeros(context.batch, 3, 1, 1, requires_grad=True)\n"
        "    def latents(self): return {'z': self.z}\n"
        "    def forward(self, step): return self.z.sigmoid().expand(-1, -1, 16, 32)\n"
        "@pixforge.hookimpl\ndef pixforge_generators(): return [Blind]\n"
    )
    plugins = [str(tmp_path / "blind.py"), str(tmp_path / "places.py")]
    with pytest.raises(InputError, match="generator 'blind' cannot take over a changed picture"):
        build(recipe(generator="blind", edits=["mirror"], plugins=plugins))


def test_an_overlay_comes_until_its_end(recipe, tmp_path):
    Image.new("RGB", (8, 8), "white").save(tmp_path / "white.png")
    edit = {"type": "overlay", "image": str(tmp_path / "white.png"), "opacity": 1, "every": 2, "until": "50%"}
    levels = [float(report.image.mean()) for report in pixforge.optimize(recipe(edits=[edit], steps=8))]
    assert levels[0] < 0.8
    # It is laid over after steps 2 and 4, so that the pictures of steps 3 and 5 come from white.
    assert min(levels[2], levels[4]) > max(levels[1], levels[3])
    assert levels[4] > levels[5] > levels[6] > levels[7]  # none after half of the run


def test_fewer_cutouts_than_places_are_refused(recipe):
    prompts = ["blue", {"text": "red", "where": {"box": [0, 0, 8, 8]}}]
    with pytest.raises(InputError, match=r"cutouts of 2 places, and there are only 1; count: 2 or more"):
        build(recipe(prompts=prompts, cutouts={"type": "random", "count": 1}))
    build(recipe(prompts=prompts, cutouts={"type": "random", "count": 2}))


@pytest.mark.parametrize("mover", ["roll", "wallpaper"])
@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"prompts": [{"text": "red", "where": "left"}]}, r"prompts\[0\]\.where"),
        ({"losses": [{"type": "smoothness", "where": "left"}]}, r"losses\[0\]\.where"),
    ],
)
def test_regions_beside_a_filter_that_moves_the_picture_are_refused(recipe, mover, fields, place):
    """They would be of the picture in its place, while cutouts and losses look at the moved one."""
    with pytest.raises(RecipeError, match=rf"{place}: the filter {mover} shows the picture moved"):
        recipe(**fields, filters=[{"type": "posterize"}, mover])
    recipe(**fields, filters=[{"type": "posterize", "where": "left"}])
    recipe(filters=[mover], edits=[{"type": "mirror", "where": "left"}])


@pytest.mark.parametrize("mover", ["roll", "wallpaper"])
def test_a_filter_that_moves_the_picture_takes_no_region(recipe, mover):
    with pytest.raises(RecipeError, match=rf"filters\[0\]\.where: {mover} moves the whole picture"):
        recipe(filters=[{"type": mover, "where": "left"}])
