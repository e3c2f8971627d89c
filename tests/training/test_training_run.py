"""A training goes on where it was stopped, and text towers aim between two kinds of prototypes."""

import argparse
import json

import torch
from compose import Art, Words
from torch import nn
from train_text import between, cosine
from training_run import TrainingRun, muon


def run_for(work, minutes, fresh=False):
    """A small training of so many minutes: the step and the weights that it began with, and how it ended."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 1))
    options = argparse.Namespace(work=work, device="cpu", minutes=minutes, fresh=fresh)
    optimizers = muon(model[0], model.parameters(), (0.01, 0.01), (0.9, 0.98))
    run = TrainingRun("small", model, optimizers, options, cosine)
    begun = run.step, model[0].weight.detach().clone()
    inputs = torch.randn(16, 4)

    def batch():
        return (model(inputs)[:, 0] - inputs.sum(1)).square()

    run.train(batch, lambda mean: {"loss": float((mean(inputs)[:, 0] - inputs.sum(1)).square().mean())})
    return begun, run


def test_a_training_goes_on_where_it_was_stopped(tmp_path):
    _, first = run_for(tmp_path, 0.01)
    (step, weight), second = run_for(tmp_path, 0.02)
    assert step == first.step > 10
    assert weight.equal(first.model[0].weight)
    assert second.step > first.step
    assert second.seconds > first.seconds
    (step, weight), _ = run_for(tmp_path, 0.01, fresh=True)
    assert step == 0
    assert not weight.equal(first.model[0].weight)
    notes = [json.loads(line) for line in (tmp_path / "small.jsonl").read_text().splitlines()]
    assert notes[0]["views"] == 16 * first.step


def test_a_training_that_is_done_is_not_done_again(tmp_path):
    _, first = run_for(tmp_path, 0.01)
    (step, _), second = run_for(tmp_path, 0.01)
    assert step == second.step == first.step


def test_biases_and_what_lies_beside_the_blocks_do_not_go_by_muon():
    model = nn.ModuleDict({"blocks": nn.Linear(4, 4), "head": nn.Linear(4, 2)})
    matrices, others = (
        [p for group in each.param_groups for p in group["params"]]
        for each in muon(model["blocks"], model.parameters(), (0.1, 0.1), (0.9, 0.98))
    )
    assert [id(p) for p in matrices] == [id(model["blocks"].weight)]
    assert len(others) == 3


def test_texts_aim_between_the_classifier_and_drawings_in_colors():
    axes = torch.eye(3)
    art = Art(
        torch.zeros(2, 4, 8, 8, dtype=torch.uint8),
        torch.tensor([0, 0]),
        torch.zeros(2).long(),
        [Words("apple", (), (), "food-drink", "listed")],
        torch.tensor([False, True]),
    )
    aim = between(axes[:1], axes[1:], art)
    assert aim.norm().item() == 1
    prototype, colored, ink = aim[0].tolist()
    assert abs(prototype - colored) < 0.01
    assert 0 < ink < 0.15 * colored
