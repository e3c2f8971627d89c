"""`pixforge bench`: the figures add up, every component is named, and no file is written."""

import json

import pytest


def test_a_table_with_every_component_and_its_plugin(cli, work):
    before = {path.name for path in work.iterdir()} | {"__pycache__"}
    status, out, err = cli(
        "bench", "red.yaml", "--rounds", "3",
        "--set", "augmentations=[affine, noise]", "--set", "losses=[smoothness]", "--set", "filters=[grayscale]",
    )  # fmt: skip
    assert (status, err) == (0, "")
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in out.splitlines() if line[:2] == "| "
    ]
    named = {tuple(row[:3]) for row in rows}
    assert {("perceptor", "mean", "mean"), ("loss", "smoothness", "pixforge")} <= named
    assert {row[0] for row in rows[1:]} == {
        "generator", "filter", "cutouts", "sampling of cutouts", "augmentation", "perceptor", "loss", "optimizer",
        "rest",
    }  # fmt: skip
    assert [row[1] for row in rows if row[0] == "augmentation"] == ["affine", "noise"]
    assert "steps/s" in out
    assert {path.name for path in work.iterdir()} <= before


def test_json_has_the_same_figures_and_overrides_count(cli, work):
    status, out, _ = cli("bench", "red.yaml", "red.yaml", "--rounds", "4", "--json", "--size", "48x32")
    first, second = map(json.loads, out.splitlines())
    assert status == 0
    assert first["size"] == second["size"] == "48 x 32"
    assert first["step"] > first["floor"] * 0.5 > 0
    assert first["quartiles"][0] <= first["ratio"] <= first["quartiles"][1]
    assert all(part["seconds"] > 0 for part in first["parts"])


def test_a_slow_component_is_found(cli, work):
    (work / "slow.py").write_text(
        "import time\nfrom typing import Literal\nimport pixforge\n\n\n"
        "class SlowConfig(pixforge.LossConfig):\n    type: Literal['slow'] = 'slow'\n\n\n"
        "class Slow(pixforge.Loss[SlowConfig]):\n    def forward(self, view):\n        time.sleep(0.05)\n"
        "        return view.image.mean(dim=(1, 2, 3))\n\n\n"
        "@pixforge.hookimpl\ndef pixforge_losses():\n    return [Slow]\n"
    )
    arguments = ["--set", "plugins=[mean.py, slow.py]", "--set", "losses=[slow]", "--rounds", "3", "--json"]
    found = json.loads(cli("bench", "red.yaml", *arguments)[1])
    (slow,) = (part for part in found["parts"] if part["name"] == "slow")
    assert (slow["kind"], slow["plugin"]) == ("loss", "slow")
    assert 0.05 <= slow["seconds"] <= found["step"]
    assert found["ratio"] > 2


@pytest.mark.parametrize("rounds", ["0", "-3", "1000000"])
def test_a_wrong_number_of_rounds_is_one_line(cli, work, rounds):
    status, out, err = cli("bench", "red.yaml", f"--rounds={rounds}")
    assert (status, out) == (2, "")
    assert err == f"pixforge: --rounds: a number from 1 to 10000, not {rounds}\n"
