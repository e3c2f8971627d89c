"""What was trained beside one perceptor is led over to the next."""

import argparse
from pathlib import Path

import follow
import torch
from latents import made_with
from safetensors.torch import load_file, save_file
from torch.nn import functional

ROOT = Path(__file__).parents[2]


def two_perceptors(count=400, size=8):
    """What a perceptor sees, and a second one that sees the same, turned and with a little noise."""
    torch.manual_seed(2)
    before = functional.normalize(torch.randn(count, size), dim=1)
    rotation = torch.linalg.qr(torch.randn(size, size)).Q
    after = before @ rotation + 0.01 * torch.randn(count, size)
    return follow.Views(before, functional.normalize(after, dim=1))


def test_the_map_leads_new_embeddings_to_the_old_ones():
    views = two_perceptors()
    assert views.nearness(torch.eye(8)) < 0.5
    assert views.nearness(views.map()) > 0.99


def test_a_folded_network_reads_the_new_embeddings_as_it_read_the_old(tmp_path, monkeypatch):
    views = two_perceptors()
    for name, key in follow.READERS.items():
        save_file({key: torch.randn(3, 8), "other": torch.ones(2)}, tmp_path / f"{name}.safetensors")
    monkeypatch.setattr(follow, "UNCLIP", tmp_path)
    options = argparse.Namespace(before=tmp_path, out=tmp_path / "start")
    follow.fold(options, dict.fromkeys(follow.READERS, views.map()))
    for name, key in follow.READERS.items():
        old, new = (load_file(folder / f"{name}.safetensors") for folder in (options.before, options.out))
        said, now = views.before @ old[key].T, views.after @ new[key].float().T
        assert (said - now).square().mean() < 0.01 * said.square().mean()
        assert new["other"].float().equal(old["other"])


def test_what_is_led_over_reads_embeddings_where_follow_says():
    for name, key in follow.READERS.items():
        folder = ROOT / ("pixforge/models/embedded" if name == "tokens" else follow.UNCLIP)
        assert load_file(folder / f"{name}.safetensors")[key].shape == (256, 256)


def test_latents_of_another_perceptor_are_other_files(tmp_path):
    names = set()
    for perceptor in ("before", "after"):
        (tmp_path / "vqgan.safetensors").write_text("the same")
        (tmp_path / "perceptor.safetensors").write_text(perceptor)
        names.add(made_with(tmp_path))
    assert len(names) == 2
