"""What was trained beside one perceptor is led over to the next."""

import argparse
from pathlib import Path

import follow
import torch
from bpe import led_over, write_merges
from latents import made_with
from model import new_tokenizer
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
        state = {key: torch.randn(3, 8), "other": torch.ones(2), "text.weight": torch.randn(515, 2)}
        save_file(state, tmp_path / f"{name}.safetensors")
    monkeypatch.setattr(follow, "UNCLIP", tmp_path)
    write_merges([("a", "b")], tmp_path / "merges.txt.gz")
    options = argparse.Namespace(before=tmp_path, weights=tmp_path, out=tmp_path / "start")
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


def test_words_of_a_longer_vocabulary_begin_as_the_mean_of_their_pieces(tmp_path):
    shared = [("c", "a"), ("ca", "t</w>")]
    lists = {"old": shared, "new": [*shared, ("o", "w</w>"), ("t", "s</w>"), ("ca", "ts</w>"), ("ca", "t")]}
    for name, merges in lists.items():
        write_merges(merges, tmp_path / name)
    old, new = (new_tokenizer(tmp_path / name) for name in lists)
    table = torch.randn(len(old.encoder), 4)
    led = led_over(table, old, new)
    assert led.shape == (len(new.encoder), 4)
    for token in ("a", "q</w>", "cat</w>", "<end_of_text>"):
        assert led[new.encoder[token]].equal(table[old.encoder[token]])
    for token, parts in {
        "cats</w>": ("ca", "t", "s</w>"),
        "cat": ("cat</w>",),
        "ow</w>": ("o", "w</w>"),
    }.items():
        mean = table[[old.encoder[part] for part in parts]].mean(0)
        assert led[new.encoder[token]].allclose(mean)
