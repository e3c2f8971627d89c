"""The executor `ray`; what needs Ray itself is slow, and skipped where it is not installed."""

import io
import sys
import tarfile
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from pixforge.builtin.executors import ray as module
from pixforge.builtin.executors.ray import RayConfig, RayExecutor
from pixforge.contracts import Job
from pixforge.errors import InputError
from pixforge.recipe import load_recipe
from pixforge.recipe.resolve import plain_recipe
from pixforge.sweeps.carry import carry_out, gathered, write_plan
from pixforge.sweeps.plan import Options, make_plan
from pixforge.sweeps.spec import read_spec
from pixforge.sweeps.work import Reader, RunWork


def test_without_ray_it_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match=r"Ray is not installed; pip install 'pixforge\[ray\]'"):
        list(RayExecutor(RayConfig()).run([Job("a", tmp_path / "runs" / "a", lambda _: None)]))


def test_a_cluster_that_is_gone_is_noticed_at_once():
    start = time.monotonic()
    with pytest.raises(OSError, match="refused"):
        module._see_that_it_answers("ray://127.0.0.1:1")
    assert time.monotonic() - start < 5


def test_a_folder_travels_and_a_hostile_one_does_not(tmp_path):
    (tmp_path / "here").mkdir()
    (tmp_path / "there").mkdir()
    for name in ("checkpoint.safetensors", "image.png", ".image.png.part"):
        (tmp_path / "here" / name).write_text(name)
    module._unpack(module._packed(tmp_path / "here"), tmp_path / "there")
    assert sorted(path.name for path in (tmp_path / "there").iterdir()) == [
        "checkpoint.safetensors",
        "image.png",
    ]
    for name, kind in (("../up", tarfile.REGTYPE), ("link", tarfile.SYMTYPE)):
        content = io.BytesIO()
        with tarfile.open(fileobj=content, mode="w") as tar:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            tar.addfile(info)
        with pytest.raises(InputError, match="is no run's folder"):
            module._unpack(content.getvalue(), tmp_path / "there")


def test_files_travel_with_the_sweep_and_the_run_is_the_same_elsewhere(work, cli):
    Image.new("RGB", (32, 32), "blue").save(work / "blue.png")
    text = (work / "red.yaml").read_text().replace("prompts: [red]", "prompts: [red, {image: blue.png}]")
    (work / "both.yaml").write_text(text)
    recipe = plain_recipe(load_recipe(work / "both.yaml"), None)
    here, there = work / "here", work / "there"
    for home in (here, there):
        (home / "runs").mkdir(parents=True)
    near, files = gathered(recipe, here)
    assert sorted(path.name.partition("-")[2] for path in files) == ["blue.png", "fake.py"]
    (there / "files").mkdir()
    for path in files:
        (there / "files" / path.name).write_bytes(path.read_bytes())
    (work / "blue.png").unlink()  # there is no way back to the original
    made = RunWork("0001", near, Reader(), str(here))
    assert made(here / "runs" / "0001").status == "finished"
    assert made(there / "runs" / "0001").status == "finished"
    for name in ("recipe.yaml", "image.png"):
        one, other = ((home / "runs" / "0001" / name).read_bytes() for home in (here, there))
        assert one == other


@pytest.mark.slow
def test_a_node_that_dies_loses_nothing(work, cli):
    ray = pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    text = (work / "red.yaml").read_text().replace("steps: 3", "steps: 400") + "checkpoint: {every: 10}\n"
    (work / "long.yaml").write_text(text)
    plan = make_plan(replace(read_spec(work / "long.yaml"), seeds=4), Options())
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    nodes = [cluster.add_node(num_cpus=1) for _ in range(2)]
    folder = work / "made"
    folder.mkdir()
    write_plan(folder, plan)

    def kill():
        deadline = time.monotonic() + 120
        while not list(folder.glob("runs/*/checkpoint.safetensors")) and time.monotonic() < deadline:
            time.sleep(0.05)
        cluster.remove_node(nodes[0], allow_graceful=False)

    try:
        threading.Thread(target=kill, daemon=True).start()
        summary = carry_out(
            folder, plan, RayExecutor(RayConfig(address=cluster.address, every=0.2)), quiet=True
        )
    finally:
        ray.shutdown()
        cluster.shutdown()
    assert [each.status for each in summary.facts] == ["finished"] * 4
    assert cli("sweep", "long.yaml", "--seeds", "4", "-o", "local", "--quiet")[0] == 0
    for name in ("0001", "0002", "0003", "0004"):
        one, other = (Image.open(Path(home) / "runs" / name / "image.png") for home in ("made", "local"))
        assert one.tobytes() == other.tobytes()
