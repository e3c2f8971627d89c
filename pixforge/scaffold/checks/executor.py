"""What a user of placeholder would notice."""

import time
from pathlib import Path

import pytest
from pydantic import ValidationError

import pixforge
import pixforge.scaffold.kinds.executor as plugin
from pixforge.scaffold.kinds.executor import Placeholder, PlaceholderConfig
from pixforge.testing import check_component, make_registry
from pixforge.testing.executors import FakeWork


def jobs(folder: Path, count: int) -> list[pixforge.Job]:
    return [pixforge.Job(str(number), folder / str(number), FakeWork(str(number))) for number in range(count)]


def test_it_keeps_the_contract() -> None:
    check_component(Placeholder)


def test_sweeps_know_its_word() -> None:
    entry = make_registry(plugin).get("executor", "placeholder")
    assert entry is not None
    assert entry.component is Placeholder


def test_a_misspelt_field_is_refused() -> None:
    with pytest.raises(ValidationError, match="misspelt"):
        PlaceholderConfig.model_validate({"misspelt": 1})


def test_it_keeps_the_order(tmp_path: Path) -> None:
    found = Placeholder(PlaceholderConfig()).run(jobs(tmp_path, 3))
    assert [outcome.name for outcome in found] == ["0", "1", "2"]


def test_it_rests_after_each(tmp_path: Path) -> None:
    begun = time.perf_counter()
    list(Placeholder(PlaceholderConfig(rest=0.05)).run(jobs(tmp_path, 2)))
    assert time.perf_counter() - begun >= 0.1
