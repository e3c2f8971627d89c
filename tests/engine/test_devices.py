"""Which precision a run computes in."""

from __future__ import annotations

import pytest
import torch

from pixforge.engine.devices import choose_dtype

CPU = torch.device("cpu")


@pytest.fixture
def processor(monkeypatch):
    def make(**has):
        for name in ("avx512_bf16", "amx_tile"):
            monkeypatch.setattr(torch.cpu, f"_is_{name}_supported", lambda name=name: has.get(name, False))

    return make


@pytest.mark.parametrize("name", ["avx512_bf16", "amx_tile"])
def test_auto_is_bf16_on_a_processor_that_computes_in_it(processor, name):
    processor(**{name: True})
    assert choose_dtype("auto", CPU) == torch.bfloat16
    assert choose_dtype("fp32", CPU) == torch.float32


def test_auto_is_fp32_on_other_processors(processor):
    processor()
    assert choose_dtype("auto", CPU) == torch.float32
    assert choose_dtype("bf16", CPU) == torch.bfloat16


def test_auto_is_fp32_where_torch_does_not_tell(monkeypatch):
    for name in ("avx512_bf16", "amx_tile"):
        monkeypatch.delattr(torch.cpu, f"_is_{name}_supported", raising=False)
    assert choose_dtype("auto", CPU) == torch.float32
