"""The transformer samples the same codes as taming's; the cache, the window and the order do not change them."""

import pytest
import torch
import torch.nn.functional as F
from taming.modules.transformer import mingpt
from tiny_net2net import CODES, CONDITIONS, SIDE, content, tensors

from pixforge.builtin.inits.codes.cache import Reader
from pixforge.builtin.inits.codes.conditions import Coordinates, Kind, input_of
from pixforge.builtin.inits.codes.net2net import Net2Net, window_start
from pixforge.builtin.inits.codes.net2net_config import parse_net2net
from pixforge.builtin.inits.codes.net2net_load import PERMUTERS, fill_net2net
from pixforge.errors import InputError, UnsupportedError, WeightsError
from pixforge.nn.code_sampling import Choice, pick, top_k, top_p

GREEDY = Choice(temperature=0)


def make(condition="nothing", permuter=None, extra=None, **transformer) -> Net2Net:
    configuration = content(condition, permuter, **transformer)
    found = tensors(configuration) | (extra or {})
    return fill_net2net(parse_net2net(configuration, "tiny"), found, "tiny")


def numbers(*shape, seed=0, most=CODES):
    return torch.randint(most, shape, generator=torch.Generator().manual_seed(seed))


def uniform(*shape, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("condition", CONDITIONS)
def test_logits_are_those_of_tamings_forward(condition):
    model = make(condition)
    c = numbers(2, SIDE**2 if model.kind.spatial else 1, seed=1)
    z = model.permuter(numbers(2, SIDE**2))
    # As taming.models.cond_transformer's forward has it.
    expected = model.transformer(torch.cat((c, z), dim=1)[:, :-1])[0][:, c.shape[1] - 1 :]
    assert torch.equal(model.forward_logits(z, c), expected)
    assert expected.shape == (2, SIDE**2, 40)


@pytest.mark.parametrize("unmasked", [0, 16])
def test_the_cache_changes_no_logits(unmasked):
    model = make("depth", n_unmasked=unmasked)
    tokens = numbers(2, 31)
    reader = Reader(model.transformer, 2, 31)
    found = [reader.read(tokens[:, :16])] + [reader.read(tokens[:, i : i + 1]) for i in range(16, 31)]
    expected = model.transformer(tokens)[0][:, 15:]
    torch.testing.assert_close(torch.stack(found, dim=1), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("condition", ["nothing", "label", "depth"])
def test_greedy_codes_are_those_of_tamings_sampler(condition):
    model = make(condition, vocab_size=CODES)
    c, begun = numbers(3, SIDE**2 if model.kind.spatial else 1, most=5), numbers(3, 2, seed=2)
    found = model.sample(c, begun, torch.zeros(3, 14), GREEDY)
    expected = mingpt.sample(model.transformer, torch.cat((c, begun), dim=1), 14)[:, c.shape[1] :]
    assert torch.equal(found, expected)
    assert len(found.unique()) > 3


def test_more_than_the_transformer_reads_is_refused():
    with pytest.raises(InputError, match="reads 16 numbers, not 17"):
        make().sample(numbers(1, 1), numbers(1, 0), torch.zeros(1, 17), GREEDY)


def test_only_codes_that_the_first_stage_has_are_drawn():
    model = make("label", vocab_size=500)
    drawn = model.sample(numbers(8, 1, most=5), numbers(8, 0), uniform(8, 16), Choice())
    assert drawn.max() < CODES


def test_canvases_are_independent():
    model = make("label")
    c, u = numbers(3, 1, most=5), uniform(3, 16)
    together = model.sample(c, numbers(3, 0), u, Choice())
    alone = model.sample(c[1:2], numbers(1, 0), u[1:2], Choice())
    assert torch.equal(together[1:2], alone)
    assert not torch.equal(together[0], together[1])


@pytest.mark.parametrize("name", PERMUTERS)
def test_permuters_order_the_drawing(name):
    model = make("label", name)
    c, u = numbers(2, 1, most=5), uniform(2, 16)
    grid = model.sample_grid(c, torch.zeros(2, SIDE, SIDE, dtype=torch.long), 0, u, Choice())
    flat = model.sample(c, numbers(2, 0), u, Choice())
    assert torch.equal(model.permuter(grid.flatten(1)), flat)


def test_a_permuted_order_has_one_grid_and_keeps_nothing():
    model = make("label", "ZCurve")
    with pytest.raises(UnsupportedError, match="no rows can be kept"):
        model.sample_grid(numbers(1, 1, most=5), numbers(1, SIDE, SIDE), 1, uniform(1, 12), Choice())
    with pytest.raises(UnsupportedError, match="5 x 4 is no size"):
        model.sample_grid(numbers(1, 1, most=5), numbers(1, 5, SIDE), 0, uniform(1, 20), Choice())


def test_the_window_begins_where_tamings_notebook_has_it():
    for length in (16, 17, 30, 40):
        for i in range(length):
            local = i if i <= 8 else 16 - (length - i) if length - i < 8 else 8
            assert window_start(i, length, 16) == i - local


@pytest.mark.parametrize("condition", ["label", "depth", "coord"])
def test_larger_grids_slide_as_in_tamings_notebook(condition):
    model = make(condition)
    height, width = 6, 7
    spatial = model.kind.spatial
    c = numbers(2, height, width, seed=3) if spatial else numbers(2, 1, most=5)
    found = model.sample_grid(c, numbers(2, height, width, seed=9), 0, torch.zeros(2, 42), GREEDY)
    codes = numbers(2, height, width, seed=4)  # what is there before plays no part
    for i in range(height):
        for j in range(width):
            local_i = i if i <= 2 else 4 - (height - i) if height - i < 2 else 2
            local_j = j if j <= 2 else 4 - (width - j) if width - j < 2 else 2
            rows, columns = slice(i - local_i, i - local_i + 4), slice(j - local_j, j - local_j + 4)
            patch = codes[:, rows, columns].reshape(2, -1)
            cpatch = c[:, rows, columns].reshape(2, -1) if spatial else c
            logits = model.transformer(torch.cat((cpatch, patch), dim=1)[:, :-1])[0][:, -16:]
            codes[:, i, j] = logits.reshape(2, 4, 4, -1)[:, local_i, local_j, :CODES].argmax(dim=-1)
    assert torch.equal(found, codes)


def test_the_window_and_the_cache_draw_the_same():
    model = make("depth")
    c, u = numbers(2, SIDE, SIDE), uniform(2, 16)
    grid = torch.zeros(2, SIDE, SIDE, dtype=torch.long)
    assert torch.equal(
        model.sample_grid(c, grid, 0, u, Choice()), model._sample_sliding(c, grid.clone(), 0, u, Choice())
    )


@pytest.mark.parametrize("height", [SIDE, SIDE + 3])
def test_kept_rows_stay(height):
    model, begun = make("label"), numbers(1, height, SIDE)
    steps = (height - 2) * SIDE
    found = model.sample_grid(numbers(1, 1, most=5), begun, 2, uniform(1, steps), Choice())
    assert torch.equal(found[:, :2], begun[:, :2])
    assert not torch.equal(found[:, 2:], begun[:, 2:])


def test_numbers_of_used_codes_become_codes():
    used = torch.tensor([30, 4, 17, 9])
    model = make("label", extra={"first_stage_model.quantize.used": used})
    drawn = model.sample(numbers(4, 1, most=5), numbers(4, 0), uniform(4, 16), Choice(temperature=4))
    assert model.count == 4
    assert set(drawn.unique().tolist()) == {0, 1, 2, 3}
    assert torch.equal(model.book_numbers(drawn), used[drawn])
    images = uniform(1, 3, 16, 16) * 2 - 1
    assert torch.equal(model.codes_of(images), model.codes_of(images))
    assert model.codes_of(images).max() < 4


def test_coordinates_are_tamings():
    # As taming.modules.misc.coord.CoordStage has it.
    pixels = torch.arange(24 * 16).reshape(1, 1, 24, 16) / (24 * 16)
    expected = (F.interpolate(pixels, scale_factor=1 / 4, mode="area") * 1000).round().long()[:, 0]
    assert torch.equal(Coordinates(1000, 4).codes(6, 4, torch.device("cpu")), expected)


def test_pictures_of_conditions():
    depth = input_of(Kind.DEPTH, torch.tensor([0.25, 0.5, 0.75]).expand(1, 3, 1, 3), 1)
    torch.testing.assert_close(depth, torch.tensor([[[[-1.0, 0.0, 1.0]]]]))
    classes = input_of(Kind.SEGMENTATION, torch.tensor([0.0, 2.0]).view(1, 1, 1, 2), 3)
    assert classes[0, :, 0].T.tolist() == [[1, 0, 0], [0, 0, 1]]
    with pytest.raises(InputError, match="class 3, the model knows 3 classes, 0 to 2"):
        input_of(Kind.SEGMENTATION, torch.full((1, 1, 1, 1), 3.0), 3)


def test_top_k_and_top_p_by_hand():
    logits = torch.tensor([[0.1, 0.4, 0.3, 0.2]]).log()
    low = -torch.inf
    assert torch.equal(top_k(logits, 2).isfinite(), torch.tensor([[False, True, True, False]]))
    assert torch.equal(top_k(logits, 9), logits)
    # 0.4 alone is not over 0.5, 0.4 + 0.3 is.
    assert torch.equal(top_p(logits, 0.5), logits.where(torch.tensor([[False, True, True, False]]), low))
    assert torch.equal(top_p(logits, 0.01).isfinite(), torch.tensor([[False, True, False, False]]))
    assert torch.equal(top_p(logits, 1.0), logits)


def test_picks_by_hand():
    chances = torch.tensor([[0.0, 1.0, 0.0, 3.0, 0.0]])
    for number, expected in ((0.0, 1), (0.24, 1), (0.25, 3), (0.9999999, 3)):
        assert pick(chances, torch.tensor([number])).tolist() == [expected]


def test_codes_come_as_often_as_their_probability():
    logits = torch.tensor([0.1, 0.6, 0.3]).log().expand(20000, 3)
    often = Choice()(logits, uniform(20000)).bincount(minlength=3) / 20000
    torch.testing.assert_close(often, torch.tensor([0.1, 0.6, 0.3]), atol=0.02, rtol=0)
    sharp = Choice(temperature=0.5, top_k=2)(logits, uniform(20000)).bincount(minlength=3) / 20000
    torch.testing.assert_close(sharp, torch.tensor([0.0, 0.8, 0.2]), atol=0.02, rtol=0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"transformer_config": {"target": "os.system", "params": {}}}, "is a system, not taming's GPT"),
        ({"cond_stage_config": {"target": "os.system", "params": {}}}, "by a system is not supported"),
        ({"permuter_config": {"target": "os.system"}}, "system is no permuter"),
        ({"permuter_config": {"target": "x.SpiralOut", "params": {"H": 4, "W": 2}}}, "no order of 4 x 2"),
        (
            {"permuter_config": {"target": "x.ZCurve", "params": {"H": 10**9, "W": 2}}},
            "permuter_config.params.H",
        ),
        ({"cond_stage_config": "elsewhere"}, "cond_stage_config is 'elsewhere'"),
        ({"downsample_cond_size": 128}, "downsample_cond_size is not supported"),
        ({"sos_token": 99}, "vocabulary has 40 numbers, its stages need 100"),
        ({"first_stage_config": 3}, "model.params.first_stage_config"),
    ],
)
def test_configurations_that_are_refused(change, message):
    configuration = content()
    found = tensors(configuration)
    configuration["model"]["params"] |= change
    with pytest.raises(WeightsError, match=message):
        fill_net2net(parse_net2net(configuration, "tiny"), found, "tiny")


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"n_embd": 2**40}, r"transformer_config\.params\.n_embd"),
        ({"n_layer": 10**6}, r"transformer_config\.params\.n_layer"),
        ({"n_head": 3}, "n_head, 3, must divide n_embd, 16"),
        ({"n_unmasked": 9}, "do not fit"),
        ({"vocab_size": 20}, r"head\.weight is \[40, 16\], not \[20, 16\]"),
    ],
)
def test_transformers_that_are_refused(sizes, message):
    found = tensors(content("label"))
    with pytest.raises(WeightsError, match=message):
        fill_net2net(parse_net2net(content("label", **sizes), "tiny"), found, "tiny")


def test_tensors_that_do_not_fit_are_named():
    configuration = content("label")
    found = tensors(configuration)
    found["transformer.ln_f.bias"] = torch.zeros(3)
    del found["transformer.head.weight"]
    with pytest.raises(WeightsError, match=r"ln_f\.bias is \[3\], not \[16\]; head\.weight is missing"):
        fill_net2net(parse_net2net(configuration, "tiny"), found, "tiny")


def test_an_order_that_is_none_is_refused():
    bad = {"permuter.forward_shuffle_idx": torch.full((16,), 99)}
    with pytest.raises(WeightsError, match="no order and its inverse"):
        make("label", "ZCurve", extra=bad)


def test_other_models_draw_no_codes():
    with pytest.raises(WeightsError, match="is of a VQModel, which draws no codes"):
        parse_net2net({"model": content()["model"]["params"]["first_stage_config"]}, "tiny")
