"""The index: results of searches, updates, and damaged files."""

import errno
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from search_pictures import noise

import pixforge
from pixforge.errors import InputError
from pixforge.search import pictures, vectors
from pixforge.search.index import DATABASE, FOLDER

FAKE = ("--recipe", "fake.yaml")


def paint(file, color):
    Image.new("RGB", (24, 20), color).save(file)


def names(found):
    return [each.path.name for each in found]


@pytest.fixture
def index(photos, colors):
    with pixforge.Index(photos, perceptor=colors) as made:
        made.update()
        yield made


def test_texts_find_what_they_name(index):
    for color in ("red", "green", "blue", "white"):
        assert names(index.search(color, top=1)) == [f"{color}.png"]
    assert len(index) == len(index.search("red")) == 4


def test_the_score_is_the_weighted_mean_cosine(index, colors):
    looker = pixforge.search.perceptors.open_perceptors(colors)[0]
    red, blue = looker.perceptor.encode_text(["red", "blue"]).numpy()
    picture = index.search([Image.new("RGB", (24, 20), (230, 20, 20))], top=1)[0]
    assert picture.path.name == "red.png"
    assert picture.score == pytest.approx(1, abs=1e-3)
    mixed = index.search(["red", {"text": "blue", "weight": -0.5}], top=4)
    assert names(mixed)[0] == "red.png"
    assert names(mixed)[-1] == "blue.png"
    one = pixforge.search.look.embed_pixels(looker, np.full((1, 16, 16, 3), (230, 20, 20), np.uint8))[
        0
    ].numpy()
    assert mixed[0].score == pytest.approx(float(one @ (red - 0.5 * blue) / 1.5), abs=2e-3)


def test_pictures_are_queries_too(index, photos):
    found = index.search([{"image": str(photos / "green.png")}], top=1)
    assert names(found) == ["green.png"]


def test_an_update_sees_what_is_new_changed_and_gone(index, photos):
    nothing = index.update()
    assert (nothing.new, nothing.changed, nothing.removed, nothing.pictures) == (0, 0, 0, 4)
    paint(photos / "black.png", "black")
    paint(photos / "red.png", "white")
    os.utime(photos / "red.png", ns=(1, 1))
    (photos / "green.png").unlink()
    done = index.update()
    assert (done.new, done.changed, done.removed, done.pictures) == (1, 1, 1, 4)
    assert names(index.search("black", top=1)) == ["black.png"]
    assert {each.name for each in (each.path for each in index.search("white", top=2))} == {
        "white.png",
        "red.png",
    }
    assert "green.png" not in names(index.search("green"))


def test_an_untouched_picture_is_not_embedded_again(index, monkeypatch):
    monkeypatch.setattr(
        "pixforge.search.update.embed_pixels", lambda *_: pytest.fail("nothing is to be embedded")
    )
    assert index.update().pictures == 4


def test_broken_pictures_are_named_each_time_but_read_once(index, photos, monkeypatch):
    (photos / "bad.png").write_bytes(b"no picture")
    (photos / "lost.png").symlink_to("nowhere.png")
    heard = []
    done = index.update(broken=lambda path, reason: heard.append((path.name, reason)))
    assert sorted(path.name for path, _ in done.skipped) == ["bad.png", "lost.png"]
    assert dict(heard)["bad.png"].startswith("is not a picture")
    assert dict(heard)["lost.png"].startswith("cannot be read")
    monkeypatch.setattr("pixforge.search.pictures.read_fitted", lambda *_, **__: pytest.fail("read again"))
    assert sorted(path.name for path, _ in index.update().skipped) == ["bad.png", "lost.png"]
    monkeypatch.undo()
    (photos / "lost.png").unlink()
    paint(photos / "bad.png", "black")
    mended = index.update()
    assert (mended.new, mended.skipped) == (1, ())


def test_a_picture_that_must_not_be_read_for_a_while_is_tried_again(index, photos, monkeypatch):
    from pixforge.media import files

    opened = files.open_ordinary

    def refuse(path):
        if path.name == "new.png":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return opened(path)

    paint(photos / "new.png", "black")
    monkeypatch.setattr(files, "open_ordinary", refuse)
    assert [path.name for path, _ in index.update().skipped] == ["new.png"]
    monkeypatch.undo()
    mended = index.update()
    assert (mended.new, mended.skipped) == (1, ())


def test_a_picture_that_breaks_is_no_longer_found(index, photos):
    (photos / "red.png").write_bytes(b"no picture any more")
    assert index.update().pictures == 3
    assert "red.png" not in names(index.search("red"))


def test_folders_that_cannot_be_listed_are_not_forgotten(index, photos, monkeypatch):
    listed = os.scandir

    def scandir(path):
        if str(path).endswith("below"):
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(os, "scandir", scandir)
    heard = []
    assert index.update(broken=lambda path, reason: heard.append(path.name)).removed == 0
    assert heard == ["below"]
    assert len(index) == 4


def test_names_that_are_no_unicode(index, photos):
    name = os.fsencode(photos) + b"/caf\xe9 \xff.png"
    paint(os.fsdecode(name), "black")
    assert index.update().new == 1
    assert os.fsencode(index.search("black", top=1)[0].path) == name


def test_an_open_index_follows_an_update_from_elsewhere(index, photos, colors):
    index.search("red")
    paint(photos / "black.png", "black")
    with pixforge.Index(photos, perceptor=colors) as other:
        other.update()
    assert names(index.search("black", top=1)) == ["black.png"]


def test_the_index_may_be_kept_elsewhere(photos, colors, tmp_path):
    with pixforge.Index(photos, perceptor=colors, at=tmp_path / "kept") as made:
        made.update()
        assert names(made.search("red", top=1)) == ["red.png"]
    assert not (photos / FOLDER).exists()


# What goes wrong


def test_a_killed_update_goes_on(photos, colors, tmp_path):
    """An update is killed while it embeds; committed pictures are found and not embedded again."""
    for number in range(300):
        noise((20, 20), number).save(photos / f"noise-{number:03}.png")
    code = (
        "import time, pixforge\n"
        "import pixforge.search.update as update\n"
        "update._COMMIT_SECONDS = 0.01\n"
        "index = pixforge.Index('photos', perceptor=pixforge.load_recipe('fake.yaml'))\n"
        "def slow(done, total):\n"
        "    print(done, flush=True)\n"
        "    time.sleep(0.2 if done < 100 else 30)\n"
        "index.update(batch=20, progress=slow)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if int(line) >= 100:
                break
        process.send_signal(signal.SIGKILL)
    with pixforge.Index(photos, perceptor=colors) as index:
        kept = len(index)
        assert 60 <= kept < 304
        assert len(index.search("red", top=1000)) == kept  # by comparing with what is in the database
        done = index.update()
        assert done.new == 304 - kept
        assert len(index.search("red", top=1000)) == 304


def test_a_kill_before_the_faiss_index_is_replaced_hurts_nobody(index, photos, monkeypatch):
    (photos / "red.png").unlink()
    paint(photos / "black.png", "black")

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("pixforge.search.vectors.write", killed)
    with pytest.raises(KeyboardInterrupt):
        index.update()
    monkeypatch.undo()
    assert sorted(names(index.search("black"))) == ["black.png", "blue.png", "green.png", "white.png"]
    assert names(index.search("black", top=1)) == ["black.png"]
    assert len(index.search("red", top=3)) == 3
    (index.at / "vectors-7.faiss.part").write_bytes(b"half")
    index.update()
    assert sorted(names(index.search("black"))) == ["black.png", "blue.png", "green.png", "white.png"]
    assert [file.name for file in index.at.glob("vectors-*")] == ["vectors-2.faiss"]


def test_two_writers(index, photos, cli):
    from filelock import FileLock

    with FileLock(index.at / "lock"):
        status, out, err = cli("index", photos, *FAKE)
    assert (status, out) == (2, "")
    assert "another update of this index is under way" in err
    assert cli("index", photos, *FAKE)[0] == 0


def test_a_search_goes_on_while_an_update_runs(index):
    from filelock import FileLock

    with FileLock(index.at / "lock"):
        assert names(index.search("red", top=1)) == ["red.png"]


def test_a_database_that_another_program_holds(index, photos, cli, monkeypatch):
    monkeypatch.setattr("pixforge.search.store.WAIT_SECONDS", 0.1)
    holder = sqlite3.connect(index.at / DATABASE, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        status, _, err = cli("search", "red", "--in", photos, *FAKE)
    finally:
        holder.close()
    assert status == 2
    assert "another program holds it" in err


def damage(file, how):
    content = file.read_bytes()
    if how == "cut":
        file.write_bytes(content[: len(content) // 2])
    elif how == "noise":
        file.write_bytes(bytes(np.random.default_rng(0).integers(0, 256, len(content), dtype=np.uint8)))
    elif how == "empty":
        file.write_bytes(b"")
    else:
        file.write_bytes(content[:60] + bytes([content[60] ^ 0xFF]) + content[61:])


@pytest.mark.parametrize("how", ["cut", "noise", "empty", "flip"])
def test_a_damaged_faiss_file_is_named_and_made_again(index, photos, cli, how):
    index.close()
    damage(index.at / "vectors-1.faiss", how)
    status, out, err = cli("search", "red", "--in", photos, *FAKE)
    assert (status, out) == (2, "")
    assert "vectors-1.faiss: is damaged" in err
    assert err.count("\n") == 1
    assert cli("index", photos, *FAKE)[0] == 0
    assert cli("search", "red", "--in", photos, "--paths", "--top", 1, *FAKE)[1] == f"{photos}/red.png\n"


def test_a_missing_faiss_file(index, photos, cli):
    index.close()
    (index.at / "vectors-1.faiss").unlink()
    status, _, err = cli("search", "red", "--in", photos, *FAKE)
    assert (status, err.count("\n")) == (2, 1)
    assert cli("index", photos, *FAKE)[0] == 0
    assert cli("search", "red", "--in", photos, *FAKE)[0] == 0


@pytest.mark.parametrize("how", ["cut", "noise"])
def test_a_damaged_database_is_named_and_can_be_made_again(index, photos, cli, how):
    index.close()
    damage(index.at / DATABASE, how)
    for command in (("search", "red", "--in", photos), ("index", photos)):
        status, out, err = cli(*command, *FAKE)
        assert (status, out) == (2, "")
        assert f"{DATABASE}: is damaged" in err
        assert err.count("\n") == 1
    assert cli("index", photos, *FAKE, "--again")[0] == 0
    assert cli("search", "red", "--in", photos, *FAKE)[0] == 0


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE embeddings SET vector = x'0000'",
        "DELETE FROM facts WHERE name = 'identity'",
        "UPDATE facts SET value = '{' WHERE name = 'identity'",
        "UPDATE facts SET value = '2' WHERE name = 'format'",
        "DROP TABLE embeddings",
        "PRAGMA application_id = 7",
        "UPDATE pictures SET path = id",
        "UPDATE pictures SET path = 'red' || id",
        "UPDATE embeddings SET vector = 5",
        "UPDATE facts SET value = printf('%.*c', 99999, '[') WHERE name = 'identity'",
    ],
)
def test_a_database_with_something_else_in_it(index, photos, cli, sql):
    index.close()
    (index.at / "vectors-1.faiss").unlink()
    database = sqlite3.connect(index.at / DATABASE)
    with database:
        database.execute(sql)
        database.execute("DELETE FROM facts WHERE name = 'vectors'")
    database.close()
    status, out, err = cli("search", "red", "--in", photos, *FAKE)
    assert (status, out) == (2, "")
    assert DATABASE in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "value",
    [
        "5",
        "[]",
        '{"file": 5}',
        '{"file": "vectors-1.faiss", "number": "x"}',
        '{"file": "x", "through": 1e99}',
    ],
)
def test_a_database_that_tells_nonsense_of_its_vectors(index, photos, cli, value):
    index.close()
    database = sqlite3.connect(index.at / DATABASE)
    with database:
        database.execute("UPDATE facts SET value = ? WHERE name = 'vectors'", (value,))
    database.close()
    status, out, _ = cli("search", "red", "--in", photos, *FAKE, "--json")
    assert (status, Path(json.loads(out.split("\n")[0])["picture"]).name) == (0, "red.png")
    assert cli("index", photos, *FAKE)[0] == 0
    assert [path.name for path in index.at.glob("*.faiss")] == ["vectors-1.faiss"]


@pytest.mark.parametrize("table", ["pictures", "embeddings", "facts"])
def test_a_view_in_a_database_may_be_endless_and_is_refused(index, photos, cli, table):
    index.close()
    with sqlite3.connect(index.at / DATABASE) as database:
        columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
        database.execute(f"DROP TABLE {table}")
        chosen = ", ".join(f"n AS {column}" for column in columns)
        endless = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c)"
        database.execute(f"CREATE VIEW {table} AS {endless} SELECT {chosen} FROM c")
    database.close()
    for command in (("search", "red", "--in", photos), ("index", photos)):
        status, _, err = cli(*command, *FAKE)
        assert status == 2
        assert "other tables than an index" in err


def test_a_database_that_leads_out_of_the_folder(index, photos, tmp_path):
    index.close()
    database = sqlite3.connect(index.at / DATABASE)
    with database:
        database.execute("UPDATE pictures SET path = ? WHERE path = ?", (b"../secret.png", b"red.png"))
    database.close()
    assert "secret.png" not in names(index.search("red"))


def test_a_full_disk(index, photos, monkeypatch, cli):
    paint(photos / "black.png", "black")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pixforge.search.vectors.os.fsync", full)
    status, _, err = cli("index", photos, *FAKE)
    assert status == 2
    assert "cannot be written" in err
    assert not list(index.at.glob("*.part"))
    assert len(index.search("red", top=9)) == 5


def test_another_model_is_refused(index, photos, cli):
    for command in (("search", "red", "--in", photos), ("index", photos)):
        status, out, err = cli(*command, "--model", "embedded")
        assert (status, out) == (2, "")
        assert "was indexed by 'fake', not by 'embedded'" in err
    assert cli("index", photos, "--model", "embedded", "--again")[0] == 0
    assert cli("search", "red", "--in", photos)[0] == 0  # as it was indexed
    assert (
        "was indexed by 'embedded', not by 'judge'"
        in cli("search", "red", "--in", photos, "--model", "judge")[2]
    )


def test_other_weights_of_the_same_name_are_refused(photos, shipped_folder, cli):
    from safetensors.torch import load_file, save_file
    from tiny_clip import write_sums

    assert cli("index", photos)[0] == 0
    file = shipped_folder / "perceptor.safetensors"
    save_file({name: tensor + 0.01 for name, tensor in load_file(file).items()}, file)
    write_sums(shipped_folder)
    status, _, err = cli("search", "red", "--in", photos)
    assert status == 2
    assert "was indexed by other weights of 'embedded'" in err


def test_another_fit_is_refused(index, photos, cli):
    status, _, err = cli("index", photos, *FAKE, "--fit", "squash")
    assert status == 2
    assert "was indexed with fit 'crop', not 'squash'" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["index", "nowhere"], "nowhere: there is no such folder"),
        (["index", "empty"], "empty: there is no picture in it"),
        (["index", "fake.yaml"], "is a file; index the folder"),
        (["index", "photos", "--batch", "0"], "batch: must be at least 1"),
        (["index", "photos", "--workers", "0"], "--workers must be at least 1"),
        (["index", "photos", "--model", "a", "--model", "b"], "made by one model"),
        (["search", "red", "--in", "photos"], "photos: is not indexed yet; `pixforge index photos` does it"),
        (["search", "--in", "photos"], "is not indexed yet"),
        (["search", "red", "--top", "0"], "--top must be at least 1"),
        (["search", "red", "--sheet", "sheet.txt"], "a contact sheet's name ends in"),
    ],
)
def test_mistakes(cli, photos, arguments, message):
    (photos.parent / "empty").mkdir()
    status, out, err = cli(*arguments)
    assert (status, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
    assert not (photos / FOLDER).exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "there is nothing to search for"),
        (["{text: red, wieght: 2}"], "wieght"),
        (["{text: red, stop: 0.2}"], "a search has none"),
        (["{text: red, weight: 0}"], "all weights are 0"),
        (["--image", "nowhere.png"], "nowhere.png"),
        (["--image", "fake.yaml"], "is not a picture"),
        ([""], "the value is empty"),
    ],
)
def test_queries_that_make_no_sense(index, cli, photos, arguments, message):
    status, out, err = cli("search", *arguments, "--in", photos, *FAKE)
    assert (status, out) == (2, "")
    assert message in err


def test_nothing_but_broken_pictures(cli, photos):
    (photos.parent / "bad").mkdir()
    (photos.parent / "bad" / "a.png").write_bytes(b"no picture")
    status, _, err = cli("index", "bad", *FAKE)
    assert status == 2
    assert "none of its pictures could be read" in err
    assert cli("search", "red", "--in", "bad", *FAKE)[1] == ""


def test_without_faiss_one_line_says_what_to_install(cli, photos, monkeypatch):
    monkeypatch.setitem(sys.modules, "faiss", None)
    status, _, err = cli("index", photos, *FAKE)
    assert status == 2
    assert 'pip install "pixforge[search]"' in err
    assert err.count("\n") == 1


def test_output_of_the_commands(cli, photos):
    status, out, err = cli("index", photos, *FAKE)
    assert status == 0
    assert out.startswith(f"{photos}: 4 pictures (4 new, 0 changed, 0 gone, 0 skipped)")
    assert "embedding: 4/4" in err
    result = json.loads(cli("index", photos, *FAKE, "--json", "--quiet")[1])
    assert (result["pictures"], result["new"], result["skipped"]) == (4, 0, [])
    table = cli("search", "red", "--in", photos, *FAKE)[1].splitlines()
    assert table[0].split()[0] == "1"
    assert table[0].endswith("red.png")
    lines = [
        json.loads(line) for line in cli("search", "red", "--in", photos, *FAKE, "--json")[1].splitlines()
    ]
    assert [line["place"] for line in lines] == [1, 2, 3, 4]
    assert lines[0]["score"] > lines[1]["score"]
    assert cli("search", "red", "--in", photos, *FAKE, "-0", "--top", 1)[1] == f"{photos}/red.png\0"


def test_words_that_should_not_be_there(cli, photos):
    cli("index", photos, *FAKE)
    out = cli("search", "white", "--not", "red", "--in", photos, *FAKE, "--paths")[1].splitlines()
    again = cli("search", "--not", "red", "white", "--in", photos, *FAKE, "--paths")[1].splitlines()
    mixed = cli("search", "white", "--not", "red", "white", "--in", photos, *FAKE, "--paths")[1].splitlines()
    assert again == mixed == out
    assert out[-1].endswith("red.png")


def test_a_contact_sheet(cli, photos):
    cli("index", photos, *FAKE)
    assert cli("search", "red", "--in", photos, *FAKE, "--sheet", "sheet.png")[0] == 0
    with Image.open("sheet.png") as sheet:
        assert sheet.width == 4 * (192 + 12) + 12
        assert sheet.getpixel((12 + 96, 120))[:3] == (230, 20, 20)  # the first tile is the red picture


# Many


def many(count, dimension=32):
    made = np.random.default_rng(3).standard_normal((count, dimension)).astype(np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def blocks_of(data, first=1):
    half = data.astype(np.float16)
    return [(np.arange(first, first + len(half)), half)]


def test_search_is_exact_also_through_many_cells(tmp_path):
    data = many(3000)
    index = vectors.build(32, len(data), lambda: blocks_of(data))
    proof = vectors.write(index, tmp_path / "v.faiss")
    mapped = vectors.read(tmp_path / "v.faiss", proof, 32, mapped=True)
    assert mapped.nlist == 54
    query = many(1)[0]
    scores, ids = vectors.search(mapped, query, 10)
    expected = np.argsort(-(data @ query))[:10]
    assert ids.tolist() == (expected + 1).tolist()
    np.testing.assert_allclose(scores, (data @ query)[expected], atol=1e-3)


def test_above_the_limit_a_share_of_the_cells_is_searched_unless_exact(monkeypatch):
    monkeypatch.setattr(vectors, "EXACT_UP_TO", 100)
    data = many(3000)
    index = vectors.build(32, len(data), lambda: blocks_of(data))
    query = many(1)[0]
    best = (np.argsort(-(data @ query))[:20] + 1).tolist()
    assert vectors.search(index, query, 20, exact=True)[1].tolist() == best
    some = vectors.search(index, query, 20)[1].tolist()
    assert some != best  # these vectors have no neighborhoods: an eighth of the cells misses some
    assert len(set(some) & set(best)) > 4


def test_a_changed_index_holds_what_a_new_one_would(tmp_path):
    data = many(500)
    index = vectors.build(32, 400, lambda: blocks_of(data[:400]))
    vectors.remove(index, np.arange(1, 51))
    vectors.add(index, blocks_of(data[400:], first=401))
    assert sorted(vectors.ids_of(index).tolist()) == list(range(51, 501))
    found = vectors.search(index, data[450], 1)[1]
    assert found.tolist() == [451]


def test_indexing_twice_gives_the_same_file(photos, colors, tmp_path):
    files = []
    for name in ("one", "two"):
        with pixforge.Index(photos, perceptor=colors, at=tmp_path / name) as made:
            made.update(workers=3, batch=1)
        files.append((tmp_path / name / "vectors-1.faiss").read_bytes())
    assert files[0] == files[1]


def test_a_thin_line_does_not_fill_the_memory(index, photos):
    Image.new("RGB", (60000, 1), "white").save(photos / "line.png")
    start = time.perf_counter()
    assert index.update().new == 1
    assert time.perf_counter() - start < 5


def test_not_indexed_from_python(photos):
    index = pixforge.Index(photos)
    assert len(index) == 0
    with pytest.raises(InputError, match="is not indexed yet"):
        index.search("red")
    with pytest.raises(InputError, match="fit: must be one of"):
        pixforge.Index(photos, fit="round")


def test_large_pictures_wait_for_each_other(photos, monkeypatch):
    """Otherwise the memory that an index needs grows with the number of processors."""
    held = []
    most = []
    plain = pictures.read_fitted

    def slowly(source, sizes, fit, *, draft, before):
        def take(count):
            before(count)
            held.append(count)

        made = plain(source, sizes, fit, draft=draft, before=take)
        most.append(sum(held))
        time.sleep(0.02)
        held.pop()
        return made

    monkeypatch.setattr(pictures, "read_fitted", slowly)
    files = [photos / f"{color}.png" for color in ("red", "green", "blue")] * 4
    for limit, at_once in ((480, 1), (960, 2), (1, 1)):
        most.clear()
        monkeypatch.setattr(pictures, "MAX_PIXELS", limit)
        (batch,) = pictures.batches(files, lambda file: file, [8], "crop", workers=6)
        assert batch.items == files
        assert max(most) == at_once * 480


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
@pytest.mark.parametrize("name", [DATABASE, f"{DATABASE}-journal", "vectors-1.faiss"])
def test_a_pipe_in_an_index_is_not_waited_for(index, photos, cli, name):
    index.close()
    (photos / FOLDER / name).unlink(missing_ok=True)
    os.mkfifo(photos / FOLDER / name)
    status, _, err = cli("search", "red", "--in", photos, "--recipe", "fake.yaml")
    assert status == 2
    assert "ordinary file" in err or "not indexed" in err
