import pytest
from handling import EVIL, FAKE


@pytest.fixture
def work(tmp_path, monkeypatch):
    """A folder inside of a folder, with programs that must not be run."""
    folder = tmp_path / "work"
    (folder / "plugins").mkdir(parents=True)
    monkeypatch.chdir(folder)
    (folder / "fake.py").write_text(FAKE)
    for name in ("evil.py", "plugins/evil.py"):
        (folder / name).write_text(EVIL.replace("ESCAPED", str(tmp_path / "escaped")))
    return folder
