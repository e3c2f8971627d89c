"""Write a recipe into a folder of its own, where the tests run."""

import pytest

from pixforge.errors import InputError
from pixforge.recipe import load_recipe


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def _write(text, name="recipe.yaml"):
        content = text if isinstance(text, bytes) else text.encode()
        (tmp_path / name).write_bytes(content)
        return name

    return _write


@pytest.fixture
def complaint(write):
    """The error message of a wrong recipe."""

    def _complaint(text, name="recipe.yaml", **options):
        with pytest.raises(InputError) as caught:
            load_recipe(write(text, name), **options)
        return str(caught.value)

    return _complaint
