"""`pixforge models`: what it prints, and how it ends."""

import sys
from pathlib import Path

import pytest

from pixforge.cli.main import main

sys.path.insert(0, str(Path(__file__).parents[1] / "vqgan"))
from tiny_vqgan import write_pair


@pytest.fixture
def run(shipped_folder, capsys):
    def call(*words: str) -> tuple[int, str, str]:
        status = main(["models", *words])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return call


def test_the_table_lists_what_is_here_and_what_is_not(run):
    status, out, err = run()
    rows = {line.split()[0]: line for line in out.splitlines() if line.strip()}
    assert (status, err) == (0, "")
    assert rows["embedded"].split()[1] == "yes"
    assert rows["ViT-B-32/openai"].split()[1:7] == ["no", "224", "px", "605", "MB", "MIT"]


def test_a_damaged_one_does_not_hide_the_others(run, shipped_folder):
    (shipped_folder / "judge.json").unlink()
    status, out, _ = run()
    assert status == 0
    assert "damaged: `pixforge models verify judge`" in out
    assert "embedded " in out


def test_one_that_is_not_here(run):
    status, out, _ = run("ViT-B-32/openai")
    assert status == 0
    assert "no; `pixforge models fetch ViT-B-32/openai` (about 605 MB)" in out
    assert "151.3 million" in out
    assert "{type: open_clip, model: ViT-B-32, pretrained: openai}" in out


def test_one_that_is_here(run, shipped_folder):
    status, out, _ = run("embedded")
    assert status == 0
    assert str(shipped_folder / "perceptor.safetensors") in out
    assert "32 x 32 pixels" in out
    assert "[{type: open_clip, model: embedded}]" in out


def test_one_that_needs_another_package_says_so(run):
    assert "pip install transformers" in run("ViT-B-16-SigLIP/webli")[1]


def test_an_architecture_lists_its_weights(run):
    assert "  RN50/openai\n" in run("RN50")[1]


def test_verify_all_and_one(run, shipped_folder, monkeypatch):
    write_pair(shipped_folder, "vqgan")
    monkeypatch.setattr("pixforge.vqgan.files.EMBEDDED", shipped_folder)
    status, out, _ = run("verify")
    assert status == 0
    assert [line.split(": ")[0] for line in out.splitlines()] == ["embedded", "judge", "vqgan:embedded"]
    (shipped_folder / "judge.safetensors").write_bytes(b"cut off")
    status, _, err = run("verify", "judge")
    assert status == 2
    assert "judge.safetensors is damaged" in err
    assert run("verify", "embedded")[0] == 0


def test_fetch_of_what_is_here(run, shipped_folder):
    assert run("fetch", "embedded") == (0, f"embedded: {shipped_folder / 'perceptor.safetensors'}\n", "")


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["fetch"], "fetch needs a name"),
        (["fetch", "ViT-B-32/openai"], "HF_HUB_OFFLINE is set"),
        (["fetch", "ViT-B-32/openia"], "Did you mean 'openai'?"),
        (["fetch", "ViT-B-32"], "needs `pretrained`"),
        (["ViT-B-3"], "Did you mean 'ViT-B-32'"),
        (["embedded", "judge"], "takes one name, not 2"),
        (["verify", "RN50/openai"], "not on this machine"),
    ],
)
def test_mistakes_get_one_line_and_status_2(run, words, part):
    status, out, err = run(*words)
    assert (status, out) == (2, "")
    assert part in err
    assert err.startswith("pixforge: ")
    assert err.count("\n") == 1
