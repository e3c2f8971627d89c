"""Chunks: the picture does not depend on the chunk size, and the chunk is halved when memory runs out."""

import logging

import pytest
import torch

import pixforge
from pixforge.engine.build import build
from pixforge.engine.chunks import Chunk, even_parts, is_out_of_memory
from pixforge.engine.perception import _targets_of
from pixforge.engine.perceptors import DeviceReplica
from pixforge.engine.step import backward
from pixforge.errors import RunError
from pixforge.testing import FakePerceptor, FakePerceptorConfig, make_context

CPU_MESSAGE = (
    "[enforce fail at alloc_cpu.cpp:124] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to "
    "allocate 4000000000 bytes. Error code 12 (Cannot allocate memory)"
)
SHORTAGES = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    RuntimeError(CPU_MESSAGE),
    RuntimeError("not enough memory: you tried to allocate 4000000000 bytes."),
    MemoryError(),
]


@pytest.fixture
def recipe(tmp_path):
    """Two perceptors of different size, two canvases, prompts of both signs, one with a stop."""
    (tmp_path / "fake.py").write_text("from pixforge.testing import pixforge_perceptors\n")

    def make(**fields):
        base = {
            "prompts": ["red", {"text": "blue", "weight": -0.5}, {"text": "white", "stop": 0.3}],
            "seed": 5,
            "size": [24, 16],
            "steps": 4,
            "canvases": 2,
            "generator": "pixels",
            "perceptors": [{"type": "fake"}, {"type": "fake", "input_size": 8, "weight": 3}],
            "augmentations": ["affine", "color", "noise"],
            "losses": [{"type": "smoothness", "weight": 0.1}],
            "cutouts": {"type": "random", "count": 7},
            "plugins": [str(tmp_path / "fake.py")],
        }
        return pixforge.load_recipe({**base, **fields})

    return make


@pytest.fixture
def shortage(monkeypatch):
    """A perceptor that runs out of memory above `room` cutouts; `seen` records the number of cutouts in each pass."""

    class Memory:
        room = 10**6
        error: Exception = SHORTAGES[0]
        seen: list[int] = []  # noqa: RUF012 - one test's

    real = FakePerceptor.encode_image

    def encode(self, images):
        Memory.seen.append(len(images))
        if images.requires_grad and len(images) > Memory.room:
            raise Memory.error
        return real(self, images)

    monkeypatch.setattr(FakePerceptor, "encode_image", encode)
    monkeypatch.setattr(Memory, "seen", [])
    return Memory


def gradient(recipe) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    session = build(recipe)
    terms = backward(session, session.generator.forward(2), 2)
    (latent,) = session.generator.latents().values()
    return latent.grad, terms


def final(recipe) -> torch.Tensor:
    return list(pixforge.optimize(recipe))[-1].image


@pytest.mark.parametrize("chunk", [1, 3, 5, 7, 13, 14, 100])
def test_the_gradient_is_the_same_for_any_chunk(recipe, chunk):
    whole, terms = gradient(recipe())
    parts, again = gradient(recipe(chunk=chunk))
    assert whole.abs().max() > 1e-4
    torch.testing.assert_close(parts, whole, atol=1e-6 * float(whole.abs().max()), rtol=1e-5)
    for name, value in terms.items():
        torch.testing.assert_close(again[name], value, atol=1e-6, rtol=1e-5)


def test_a_real_network_gives_the_same_gradient_in_chunks(recipe, tiny_folder):
    groups = [{"type": "open_clip", "model": f"local-dir:{tiny_folder}"}]
    whole, _ = gradient(recipe(perceptors=groups))
    parts, _ = gradient(recipe(perceptors=groups, chunk=3))
    torch.testing.assert_close(parts, whole, atol=1e-5 * float(whole.abs().max()), rtol=1e-4)


def test_a_picture_prompt_is_embedded_in_chunks_too(recipe, shortage, tmp_path):
    from PIL import Image

    Image.new("RGB", (30, 20), (0, 0, 255)).save(tmp_path / "blue.png")
    build(recipe(prompts=[{"image": str(tmp_path / "blue.png")}], chunk=4))
    assert max(shortage.seen) <= 4


def test_the_gradient_is_that_of_the_reported_term(recipe):
    """Adam would hide a wrong factor, but the balance between prompt term and losses depends on it."""
    session = build(recipe(prompts=["red", {"text": "blue", "weight": -0.5}], precision="fp32"))
    leaf = session.generator.forward(0).detach().requires_grad_()
    session.perception.terms(leaf, 0)
    steepest = leaf.grad / leaf.grad.norm()
    up, down = (
        session.perception.terms((leaf.detach() + way * steepest).requires_grad_(), 0)["prompt"].sum()
        for way in (0.01, -0.01)
    )
    assert float((up - down) / 0.02) == pytest.approx(float(leaf.grad.norm()), rel=0.01)


@pytest.mark.parametrize(("start", "stop"), [(0, 21), (3, 5), (5, 16), (9, 21)])
def test_a_chunk_that_begins_within_a_canvas_meets_the_targets_of_that_canvas(start, stop):
    draw = torch.Generator().manual_seed(0)
    cutouts, targets = torch.rand(21, 3, 16, 16, generator=draw), torch.randn(3, 2, 13, generator=draw)
    perceptor = FakePerceptor(FakePerceptorConfig(), make_context())
    replica = DeviceReplica(perceptor, torch.device("cpu"))
    seen = perceptor.encode_image(cutouts)
    cosine = (_targets_of(targets, replica, start, stop, 7) @ seen[start:stop, :, None]).squeeze(-1)
    expected = torch.stack([targets[index // 7] @ seen[index] for index in range(start, stop)])
    torch.testing.assert_close(cosine, expected)


def test_parts_are_even_and_as_few_as_possible():
    assert list(even_parts(0, 24, 7)) == [(0, 6), (6, 12), (12, 18), (18, 24)]
    assert [stop - start for start, stop in even_parts(3, 14, 4)] == [3, 4, 4]
    assert list(even_parts(0, 5, 5)) == [(0, 5)]


@pytest.mark.parametrize("error", SHORTAGES, ids=lambda error: type(error).__name__)
def test_a_shortage_halves_the_chunk_and_changes_no_picture(recipe, shortage, caplog, error):
    calm = final(recipe())
    shortage.room, shortage.error = 4, error
    session = build(recipe())
    shortage.seen.clear()
    image = list(session.run())[-1].image
    torch.testing.assert_close(image, calm, atol=1e-5, rtol=0)
    # 14 cutouts: 14 and 7 fail, 4 (14 in parts of 3 or 4) works, for each of the two perceptors and only once.
    assert [n for n in shortage.seen if n > 4] == [14, 7, 14, 7]
    assert session.chunks() == {"fake": 4, "fake-2": 4}
    assert len(caplog.records) == 2
    assert "fake: out of memory with 14 cutouts at once; goes on with 4" in caplog.text


def test_a_shortage_in_the_middle_of_a_run_keeps_the_optimizer(recipe, shortage):
    calm = final(recipe())
    run = iter(build(recipe()).run())
    next(run), next(run)
    shortage.room = 2
    torch.testing.assert_close(list(run)[-1].image, calm, atol=1e-5, rtol=0)


def test_no_room_for_a_single_cutout_is_one_line_that_helps(recipe, shortage):
    shortage.room = 0
    with pytest.raises(
        RunError, match=r"out of memory in perceptor 'fake', even with one cutout.*bf16"
    ) as caught:
        final(recipe())
    assert "\n" not in str(caught.value)


def test_a_shortage_outside_the_perceptors_is_one_line_too(recipe, monkeypatch):
    from pixforge.builtin.losses.smoothness import Smoothness

    def fail(self, view):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(Smoothness, "forward", fail)
    with pytest.raises(RunError, match="out of memory in step 1; a smaller size"):
        final(recipe())


def test_other_errors_are_not_taken_for_a_shortage(recipe, shortage):
    shortage.room, shortage.error = 4, RuntimeError("mat1 and mat2 shapes cannot be multiplied")
    with pytest.raises(RuntimeError, match="mat1"):
        final(recipe())
    assert not is_out_of_memory(ValueError("not enough memory"))


def test_a_chunk_tried_again_starts_from_what_worked():
    chunk = Chunk("auto", "group")
    tried = []

    def attempt(size):
        tried.append(size)
        if size > 5:
            raise MemoryError
        return size

    assert [chunk.adapt(20, attempt) for _ in range(2)] == [5, 5]
    assert tried == [20, 10, 5, 5]
    assert chunk.adapt(3, attempt) == 3
    assert chunk.size == 5


def test_what_worked_is_in_the_record_of_the_run(recipe, shortage, tmp_path, caplog):
    shortage.room = 4
    with caplog.at_level(logging.WARNING):
        result = pixforge.render(recipe(exporters=["still"], device=["cpu", "cpu"]), tmp_path / "run")
    assert result.manifest["device"] == "cpu, cpu"
    assert result.manifest["chunks"] == {"fake": 4, "fake-2": 4}


@pytest.mark.parametrize("canvases", [1, 2, 3])
def test_two_workers_make_the_picture_of_one(recipe, canvases):
    alone = final(recipe(canvases=canvases, device="cpu"))
    shared = final(recipe(canvases=canvases, device=["cpu", "cpu"]))
    torch.testing.assert_close(shared, alone, atol=1e-5, rtol=0)


def test_two_workers_share_the_cutouts_and_meet_shortages(recipe, shortage):
    calm = final(recipe())
    shortage.room = 3
    session = build(recipe(device=["cpu", "cpu"]))
    shortage.seen.clear()
    image = list(session.run())[-1].image
    assert max(shortage.seen) == 7
    assert session.chunks() == {"fake": 2, "fake-2": 2}
    torch.testing.assert_close(image, calm, atol=1e-5, rtol=0)


def test_a_worker_that_fails_fails_the_run(recipe, shortage):
    shortage.room, shortage.error = 0, RuntimeError("broken")
    with pytest.raises(RuntimeError, match="broken"):
        final(recipe(device=["cpu", "cpu"]))


def test_more_workers_than_cutouts(recipe):
    few = {"cutouts": {"type": "random", "count": 2}, "canvases": 1}
    torch.testing.assert_close(
        final(recipe(**few, device=["cpu"] * 3)), final(recipe(**few)), atol=1e-5, rtol=0
    )
