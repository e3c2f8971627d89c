"""`cuda_graphs: true` as far as no GPU is needed: a tape stands in for CUDA's graphs.

Like a graph, the tape knows only which operations ran on which memory, and runs them again there. What a function did
in Python is not repeated, so a recording that read or wrote anything else would give other pictures.
"""

import logging
from typing import ClassVar

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

import pixforge
from pixforge.contracts import graphs
from pixforge.contracts.graphs import MOST, Graphed
from pixforge.engine.bench import measure
from pixforge.engine.build import build, make_context

QUIET = {"prompts": ["a heart"], "seed": 1, "size": 32, "steps": 4, "init": "noise"}
CUTOUTS = {"type": "random", "count": 6}


class Tape(TorchDispatchMode):
    """Operations with the memory that they read and wrote."""

    def __init__(self):
        super().__init__()
        self.entries, self.times = [], 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        made = func(*args, **(kwargs or {}))
        self.entries.append((func, args, kwargs or {}, made))
        return made

    @torch.no_grad()
    def replay(self):
        self.times += 1
        for func, args, kwargs, made in self.entries:
            if func.is_view:
                continue
            for old, new in zip(tensors(made), tensors(func(*args, **kwargs)), strict=True):
                if old.data_ptr() != new.data_ptr():
                    old.copy_(new)


class Taper:
    """In place of `Recorder`."""

    tapes: ClassVar[list[Tape]] = []

    def __init__(self, device):
        pass

    def warm(self, work):
        work()

    def __call__(self, work):
        with Tape() as tape:
            made = work()
        self.tapes.append(tape)
        return tape, made


def tensors(tree):
    return [each for each in tree_leaves(tree) if isinstance(each, torch.Tensor)]


@pytest.fixture
def tapes(monkeypatch):
    """Records on tapes, on a CPU."""
    monkeypatch.setattr(Taper, "tapes", [])
    monkeypatch.setattr(graphs, "Recorder", Taper)
    monkeypatch.setattr("pixforge.engine.build.records_graphs", lambda devices: True)
    return Taper.tapes


def pictures(**fields):
    recipe = pixforge.load_recipe({**QUIET, "cutouts": CUTOUTS, **fields})
    return [each.image.detach() for each in pixforge.optimize(recipe)]


def assert_same(found, wanted):
    assert len(found) == len(wanted)
    assert all(torch.equal(a, b) for a, b in zip(found, wanted, strict=True))


@pytest.mark.parametrize(
    ("fields", "recordings"),
    [
        ({"generator": "vqgan"}, 2),
        ({"generator": {"type": "vqgan", "quantization": "gumbel"}, "canvases": 2}, 2),
        ({"generator": {"type": "vqgan", "ema": 0.5}, "precision": "bf16"}, 2),
        ({"generator": {"type": "vqgan", "checkpointing": True}}, 2),
        ({"generator": {"type": "vqgan", "coarse": 0.5}}, 3),
        ({"generator": "pixels", "chunk": 4}, 1),
        ({"generator": "pixels", "chunk": 5, "cutouts": {"type": "random", "count": 9}}, 2),
        (
            {
                "generator": "fourier",
                "prompts": ["a heart", {"text": "a star", "where": "left", "weight": -0.5}],
            },
            1,
        ),
        ({"generator": "vqgan", "edits": [{"type": "camera", "zoom": 1.1, "every": 2}]}, 2),
    ],
    ids=str,
)
def test_replayed_steps_give_the_same_pictures(tapes, fields, recordings):
    plain = pictures(**fields)
    assert not tapes
    assert_same(pictures(**fields, cuda_graphs=True), plain)
    assert len(tapes) == 2 * recordings  # a forward and a backward pass each
    assert all(tape.times >= QUIET["steps"] / 2 for tape in tapes)


def test_each_step_reads_and_writes_the_same_memory(tapes):
    session = build(pixforge.load_recipe({**QUIET, "generator": "vqgan", "cuda_graphs": True}))

    def read_and_written():
        return [each.data_ptr() for tape in tapes for entry in tape.entries for each in tensors(entry)]

    places = [read_and_written() for _ in session.run()]
    assert len(places[0]) > 400
    assert all(each == places[0] for each in places)


def test_what_a_replay_gives_is_not_overwritten_by_the_next(tapes):
    double = Graphed(lambda x: x * 2)
    first = torch.ones(3, requires_grad=True)
    made = [double(first), double(first + 1)]
    assert [each.tolist() for each in made] == [[2.0] * 3, [4.0] * 3]
    made[1].sum().backward()
    assert first.grad.tolist() == [2.0] * 3


def test_a_gradient_that_comes_too_late_is_refused(tapes):
    double = Graphed(lambda x: x * 2)
    first = torch.ones(3, requires_grad=True)
    early, _ = double(first), double(first)
    with pytest.raises(RuntimeError, match="called again before its gradient"):
        early.sum().backward()


def test_calls_without_gradient_are_not_recorded(tapes):
    double = Graphed(lambda x: x * 2)
    assert double(torch.ones(3)).tolist() == [2.0] * 3
    with torch.no_grad():
        double(torch.ones(3, requires_grad=True))
    assert not tapes


def test_too_many_shapes_go_on_without(tapes, caplog):
    double = Graphed(lambda x: x * 2)
    with caplog.at_level(logging.WARNING, logger="pixforge"):
        sums = [
            double(torch.ones(size, requires_grad=True)).sum().item() for size in (*range(1, MOST + 3), 1)
        ]
    assert sums == [2 * size for size in (*range(1, MOST + 3), 1)]
    assert len(tapes) == 2 * MOST
    assert len([each for each in caplog.messages if f"recorded for {MOST} shapes" in each]) == 1


def test_what_cannot_be_recorded_goes_on_without(tapes, monkeypatch, caplog):
    def refuse(self, work):
        raise RuntimeError("CUDA error: operation not permitted when stream is capturing\nmore")

    plain = pictures(generator="vqgan")
    monkeypatch.setattr(Taper, "__call__", refuse)
    with caplog.at_level(logging.WARNING, logger="pixforge"):
        assert_same(pictures(generator="vqgan", cuda_graphs=True), plain)
    told = [each for each in caplog.messages if "cannot be recorded, and goes on without: CUDA error" in each]
    assert len(told) == 2
    assert not any("\n" in each for each in told)


def test_a_recording_that_memory_does_not_suffice_for_is_tried_with_fewer_cutouts(tapes, monkeypatch, caplog):
    plain, warm = pictures(generator="pixels", chunk=3), Taper.warm

    def short(self, work):
        warm(self, work)
        if "6" not in tried:
            tried.append("6")
            raise torch.OutOfMemoryError("CUDA out of memory")

    tried = []
    monkeypatch.setattr(Taper, "warm", short)
    assert_same(pictures(generator="pixels", cuda_graphs=True), plain)
    assert "goes on with 3" in caplog.text


@pytest.mark.parametrize(
    ("devices", "reason"),
    [(["cpu"], "with device: cpu: it needs one NVIDIA GPU"), (["cuda:0", "cuda:1"], "with several devices")],
)
def test_where_it_cannot_help_one_line_says_so(monkeypatch, caplog, devices, reason):
    found = [torch.device(each) for each in devices]
    monkeypatch.setattr("pixforge.engine.build.choose_devices", lambda _: found)
    recipe = pixforge.load_recipe({**QUIET, "cuda_graphs": True, "precision": "fp32"})
    with caplog.at_level(logging.WARNING, logger="pixforge"):
        assert not make_context(recipe).cuda_graphs
    (told,) = [each for each in caplog.messages if "cuda_graphs" in each]
    assert reason in told


def test_one_nvidia_gpu_is_what_it_needs(monkeypatch, caplog):
    monkeypatch.setattr("pixforge.engine.build.choose_devices", lambda _: [torch.device("cuda:1")])
    recipe = pixforge.load_recipe({**QUIET, "cuda_graphs": True, "precision": "fp32"})
    assert make_context(recipe).cuda_graphs
    assert not caplog.messages


def test_the_estimate_of_memory_records_nothing(tapes):
    from pixforge.engine.memory import estimate

    recipe = pixforge.load_recipe({**QUIET, "generator": "vqgan"})
    assert estimate(recipe.model_copy(update={"cuda_graphs": True})).step == estimate(recipe).step
    assert not tapes


def test_steps_are_timed_between_other_uses_of_the_same_networks(tapes):
    """`pixforge bench` runs the models alone between two steps."""
    session = build(pixforge.load_recipe({**QUIET, "generator": "vqgan", "cuda_graphs": True}))
    assert measure(session, 2).step > 0
