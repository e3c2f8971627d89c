"""Checkpoints of every kind, the malicious included: their tensors are read, their code is not run."""

import builtins
import os
import pickle
import sys
import zipfile
from collections import OrderedDict

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from pixforge.errors import WeightsError
from pixforge.models.convert import convert
from pixforge.models.files import sha256_of
from pixforge.models.safe_load import read_checkpoint, read_tensors


class Callback:
    """The other objects of a Lightning checkpoint, besides its tensors."""

    def __init__(self) -> None:
        self.best = {"a": [1, 2]}
        self.score = torch.ones(2)


class Runs:
    """An object whose pickle calls a function."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


class RunsLater:
    """An object whose pickle calls a function when its state is set."""

    def __init__(self, inner):
        self.inner = inner

    def __reduce__(self):
        return (dict, (), {"x": 1}, None, iter([("k", self.inner)]))


STATE = {"encoder.weight": torch.arange(6.0).view(2, 3), "loss.logvar": torch.zeros(1)}


@pytest.mark.parametrize("legacy", [False, True])
def test_lightning_files_give_their_tensors(tmp_path, legacy):
    file = tmp_path / "last.ckpt"
    content = {
        "epoch": 3,
        "state_dict": OrderedDict((name, torch.nn.Parameter(each)) for name, each in STATE.items()),
        "callbacks": {Callback: Callback()},
        "hyper_parameters": Callback(),
    }
    torch.save(content, file, _use_new_zipfile_serialization=not legacy)
    found = read_checkpoint(file)
    assert set(found.tensors) == set(STATE)
    assert torch.equal(found.tensors["encoder.weight"], STATE["encoder.weight"])
    assert any(name.endswith("Callback") for name in found.refused)


def test_plain_files_need_nothing_refused(tmp_path):
    torch.save({"state_dict": STATE}, tmp_path / "a.pt")
    torch.save(STATE, tmp_path / "b.pth")
    save_file(STATE, tmp_path / "c.safetensors")
    for name in ("a.pt", "b.pth", "c.safetensors"):
        found = read_checkpoint(tmp_path / name)
        assert found.refused == ()
        assert torch.equal(found.tensors["encoder.weight"], STATE["encoder.weight"])


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("place", ["top", "inside", "key", "late"])
@pytest.mark.parametrize("function", ["system", "eval", "exec", "open", "getattr"])
def test_no_code_is_run(tmp_path, function, place, legacy):
    trap = tmp_path / "trap"
    make = {
        "system": Runs(os.system, f"touch {trap}"),
        "eval": Runs(builtins.eval, f"open({str(trap)!r}, 'w')"),
        "exec": Runs(builtins.exec, f"open({str(trap)!r}, 'w')"),
        "open": Runs(builtins.open, str(trap), "w"),
        "getattr": Runs(builtins.getattr, "text", "upper"),
    }
    bad = make[function]
    content = {
        "top": {"state_dict": STATE, "x": bad},
        "inside": {"state_dict": {**STATE, "bad": bad}},
        "key": {"state_dict": STATE, "x": [bad, {"y": (bad,)}]},
        "late": {"state_dict": STATE, "x": RunsLater(bad)},
    }[place]
    file = tmp_path / "bad.ckpt"
    torch.save(content, file, _use_new_zipfile_serialization=not legacy)
    found = read_checkpoint(file)
    assert not trap.exists()
    assert set(found.tensors) == set(STATE)
    assert any(name.split(".")[-1] == function for name in found.refused)


@pytest.mark.parametrize(
    "named",
    ["torch._utils\n_rebuild_tensor_v2", "torch.storage\nUntypedStorage", "torch.nn.parameter\nParameter"],
)
def test_what_a_file_names_is_not_changed(tmp_path, named):
    """A pickle may set attributes of anything it can name, here of torch's functions and classes."""
    torch.save({"state_dict": STATE}, tmp_path / "good.ckpt")
    bad = f"c{named}\n(N}}X\x04\0\0\0evilK\x01stb.".encode()
    with zipfile.ZipFile(tmp_path / "good.ckpt") as good, zipfile.ZipFile(tmp_path / "bad.ckpt", "w") as out:
        for each in good.namelist():
            out.writestr(each, b"\x80\x02" + bad if each.endswith("data.pkl") else good.read(each))
    with pytest.raises(WeightsError):
        read_checkpoint(tmp_path / "bad.ckpt")
    module, name = named.split("\n")
    assert not hasattr(getattr(sys.modules[module], name), "evil")


class Network(torch.nn.Module):
    """A network of a package that is not installed where its pickle is read."""

    def __init__(self, bad=None):
        super().__init__()
        self.bad = bad
        self.deep = torch.nn.Sequential(torch.nn.Conv2d(2, 3, 1), torch.nn.BatchNorm2d(3))
        self.scale = torch.nn.Parameter(torch.ones(2))


@pytest.mark.parametrize("legacy", [False, True])
def test_a_pickled_network_gives_its_tensors_and_is_not_run(tmp_path, legacy):
    trap = tmp_path / "trap"
    network = Network(Runs(os.system, f"touch {trap}"))
    torch.save(network, tmp_path / "whole.pkl", _use_new_zipfile_serialization=not legacy)
    found = read_checkpoint(tmp_path / "whole.pkl")
    wanted = network.state_dict()
    assert set(found.tensors) == set(wanted)
    assert all(torch.equal(found.tensors[name], each) for name, each in wanted.items())
    assert any(name.endswith("Network") for name in found.refused)
    assert not trap.exists()


def test_a_network_that_holds_itself_is_read_once(tmp_path):
    network = Network()
    network._modules["again"] = network
    torch.save(network, tmp_path / "round.pkl")
    assert set(read_tensors(tmp_path / "round.pkl")) == set(Network().state_dict())


def test_raw_storages_do_not_hinder(tmp_path):
    torch.save({"state_dict": STATE, "raw": torch.UntypedStorage(4), "x": Callback()}, tmp_path / "a.ckpt")
    assert set(read_tensors(tmp_path / "a.ckpt")) == set(STATE)


def test_names_cannot_write_on_the_terminal(tmp_path):
    odd = type("Odd\x1b[31m", (), {})
    odd.__module__, odd.__qualname__ = __name__, odd.__name__
    setattr(sys.modules[__name__], odd.__name__, odd)
    torch.save({"state_dict": STATE, "x": odd()}, tmp_path / "a.ckpt")
    assert all(name.isprintable() for name in read_checkpoint(tmp_path / "a.ckpt").refused)


def test_a_program_is_no_checkpoint(tmp_path):
    with zipfile.ZipFile(tmp_path / "script.pt", "w") as out:
        out.writestr("script/constants.pkl", b"")
        out.writestr("script/data.pkl", b"")
    with pytest.raises(WeightsError, match="TorchScript program"):
        read_checkpoint(tmp_path / "script.pt")


def test_a_file_of_nothing_but_code_holds_no_tensors(tmp_path):
    file = tmp_path / "bad.pt"
    torch.save(Runs(os.system, f"touch {tmp_path / 'trap'}"), file)
    with pytest.raises(
        WeightsError, match=r"bad\.pt holds no tensors; not loaded, .*could run code: (posix|nt)\.system"
    ):
        read_tensors(file)
    assert not (tmp_path / "trap").exists()


def broken_files(folder):
    whole = folder / "whole.ckpt"
    torch.save({"state_dict": STATE}, whole)
    data = whole.read_bytes()
    save_file(STATE, folder / "whole.safetensors")
    yield "half.ckpt", data[: len(data) // 2]
    yield "tiny.ckpt", data[:20]
    yield "empty.ckpt", b""
    yield "text.ckpt", b"hello"
    yield "page.ckpt", b"<!DOCTYPE html><html></html>"
    yield "pickle.pt", pickle.dumps({"a": 1})
    yield "call.pt", pickle.dumps(Runs(os.system, "true"), protocol=4)
    yield "half.safetensors", (folder / "whole.safetensors").read_bytes()[:100]
    yield "huge.safetensors", b"\xff" * 8 + b"{}"
    yield "empty.safetensors", b""


def test_broken_files_are_named_in_one_line(tmp_path):
    for name, data in broken_files(tmp_path):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(WeightsError) as caught:
            read_tensors(tmp_path / name)
        assert name in str(caught.value)
        assert "\n" not in str(caught.value)
    for name in ("missing.ckpt", "."):
        with pytest.raises(WeightsError, match="no such file"):
            read_tensors(tmp_path / name)


def test_convert_keeps_what_is_needed_and_says_what_is_not(tmp_path):
    file = tmp_path / "last.ckpt"
    shared = torch.arange(8.0)
    state = {**STATE, "a": shared[:4], "b": shared[2:]}
    torch.save({"state_dict": state, "callbacks": Callback()}, file)
    made = convert(file)
    assert made.file == tmp_path / "last.safetensors"
    assert made.dropped == ("loss.logvar",)
    assert made.refused == (f"{Callback.__module__}.Callback",)
    kept = load_file(made.file)
    assert set(kept) == {"encoder.weight", "a", "b"}
    assert torch.equal(kept["b"], shared[2:])
    with pytest.raises(WeightsError, match="--force overwrites"):
        convert(file)
    assert convert(file, overwrite=True).count == 3
    assert sorted(each.name for each in tmp_path.iterdir()) == ["last.ckpt", "last.safetensors"]


def test_convert_can_keep_all_and_makes_tensors_dense(tmp_path):
    file = tmp_path / "last.ckpt"
    torch.save({**STATE, "sparse": torch.eye(3).to_sparse(), "t": torch.ones(2, 3).T}, file)
    made = convert(file, drop=())
    kept = load_file(made.file)
    assert (made.count, made.dropped) == (4, ())
    assert torch.equal(kept["sparse"], torch.eye(3))
    with safe_open(made.file, "pt") as opened:
        assert opened.metadata() == {"source": "last.ckpt", "source_sha256": sha256_of(file)}


@pytest.mark.parametrize(
    ("target", "message"),
    [("gone/a.safetensors", r"a\.safetensors cannot be written"), ("a.ckpt", r"should end in \.safetensors")],
)
def test_convert_to_where_nothing_can_be(tmp_path, target, message):
    torch.save(STATE, tmp_path / "last.ckpt")
    with pytest.raises(WeightsError, match=message) as caught:
        convert(tmp_path / "last.ckpt", tmp_path / target)
    assert "\n" not in str(caught.value)
    assert [each.name for each in tmp_path.iterdir()] == ["last.ckpt"]


def test_convert_writes_no_empty_file(tmp_path):
    torch.save({"loss.logvar": torch.zeros(1)}, tmp_path / "last.ckpt")
    with pytest.raises(WeightsError, match="only training needs"):
        convert(tmp_path / "last.ckpt")
