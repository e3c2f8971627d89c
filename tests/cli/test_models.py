"""`pixforge models`: what it prints, and how it ends."""

import pytest

from pixforge.cli.main import main


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
    assert rows["clip:embedded"].split()[1:3] == ["clip", "yes"]
    assert rows["vqgan:embedded"].split()[1:3] == ["vqgan", "yes"]
    assert rows["ViT-B-32/openai"].split()[1:8] == ["clip", "no", "605", "MB", "151.3", "M", "MIT"]
    assert "Apache-2.0" in rows["ViT-B-16-SigLIP2/webli"]
    assert "research only" in rows["MobileCLIP2-S0/dfndr2b"]
    assert "RN101/openai" not in rows


def test_a_damaged_one_does_not_hide_the_others(run, shipped_folder):
    (shipped_folder / "judge.json").unlink()
    status, out, _ = run()
    assert status == 0
    assert "damaged: `pixforge models verify clip:judge`" in out
    assert "clip:embedded " in out


def test_one_that_is_not_here(run):
    status, out, _ = run("show", "ViT-B-32/openai")
    assert status == 0
    assert "no; `pixforge models fetch ViT-B-32/openai` (about 605 MB)" in out
    assert "151.3 million" in out
    assert "{type: open_clip, model: ViT-B-32, pretrained: openai}" in out


def test_one_that_is_here(run, shipped_folder):
    status, out, _ = run("show", "clip:embedded")
    assert status == 0
    assert str(shipped_folder / "perceptor.safetensors") in out
    assert "[{type: open_clip, model: embedded}]" in out


def test_one_that_needs_another_package_says_so(run):
    assert "pip install transformers" in run("show", "ViT-B-16-SigLIP/webli")[1]


def test_a_word_lists_all_that_open_clip_knows_by_it(run):
    names = {line.split()[0] for line in run("RN50")[1].splitlines()[1:] if line.strip()}
    assert {"RN50/openai", "RN50/cc12m", "RN50x64/openai"} <= names
    assert "ViT-B-32/openai" not in names
    assert "coco" in run("list", "vqgan")[1]


def test_all_lists_everything(run):
    assert "RN101/yfcc15m" in run("--all")[1]


def test_verify_all_and_one(run, shipped_folder):
    status, out, _ = run("verify")
    assert status == 0
    names = ["clip:embedded", "clip:judge", "vqgan:embedded", "tokens:embedded", "upscaler:embedded"]
    assert [line.split(": ")[0] for line in out.splitlines()] == names
    (shipped_folder / "judge.safetensors").write_bytes(b"cut off")
    status, _, err = run("verify", "judge")
    assert status == 2
    assert "judge.safetensors is damaged" in err
    status, out, err = run("verify")
    assert status == 2
    assert [line.split(": ")[0] for line in out.splitlines()] == [names[0], *names[2:]]
    assert "judge.safetensors is damaged" in err
    assert run("verify", "embedded")[0] == 0


def test_fetch_of_what_is_here(run, shipped_folder):
    status, out, err = run("fetch", "embedded")
    assert (status, err) == (0, "")
    assert [line.split(": ")[0] for line in out.splitlines()] == [
        "clip:embedded", "vqgan:embedded", "tokens:embedded", "upscaler:embedded",
    ]  # fmt: skip
    assert str(shipped_folder / "perceptor.safetensors") in out


def test_without_a_home_folder_the_table_is_shown_and_a_fetch_says_what_to_set(run, monkeypatch):
    def nowhere():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr("pathlib.Path.home", nowhere)
    for name in ("PIXFORGE_MODELS", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    status, out, _ = run("list", "vqgan")
    assert status == 0
    assert "coco" in out
    status, _, err = run("fetch", "coco")
    assert status == 2
    assert "set HOME, or PIXFORGE_MODELS" in err


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["fetch"], "models fetch needs NAME"),
        (["fetch", "ViT-B-32/openai"], "HF_HUB_OFFLINE is set"),
        (["fetch", "ViT-B-32/openia"], "Did you mean 'openai'?"),
        (["fetch", "ViT-B-32"], "needs `pretrained`"),
        (["show", "ViT-B-3/openai"], "Did you mean 'ViT-B-32/openai'"),
        (["gibberish"], "unknown model 'gibberish'"),
        (["show", "embedded", "judge"], "unexpected extra argument (judge)"),
        (["verify", "RN50/openai"], "not on this machine"),
    ],
)
def test_mistakes_get_one_line_and_status_2(run, words, part):
    status, out, err = run(*words)
    assert (status, out) == (2, "")
    assert part in err
    assert err.startswith("pixforge: ")
    assert err.count("\n") == 1
