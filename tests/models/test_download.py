"""Downloads from servers that fail in every way: a file gets its final name only when it is complete."""

import hashlib
import json
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pixforge.errors import WeightsError
from pixforge.models import addresses
from pixforge.models import download as module
from pixforge.models.download import download
from pixforge.models.part import Wanted

DATA = bytes(range(256)) * 1200
DIGEST = hashlib.sha256(DATA).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """A server that fails in the way that the path names; it counts requests and records their ranges."""

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.server.ranges.append(self.headers.get("Range"))
        getattr(self, "do_" + self.path.strip("/").split("?")[0])()

    def send(self, body, status=200, length=None, **headers):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def start(self):
        return int((self.headers.get("Range") or "bytes=0-").removeprefix("bytes=").split("-")[0])

    def do_good(self):
        self.send(DATA)

    def do_cuts(self):
        """Every answer ends after 100,000 bytes; ranges are supported."""
        first = self.start()
        rest = DATA[first:]
        headers = {"Content_Range": f"bytes {first}-{len(DATA) - 1}/{len(DATA)}"} if first else {}
        self.send(rest[:100_000], 206 if first else 200, len(rest), ETag='"one"', **headers)

    def do_cuts_and_forgets(self):
        """Breaks once, and then ignores ranges."""
        whole = len(self.server.ranges) > 1
        self.send(DATA if whole else DATA[:100_000], 200, len(DATA))

    def do_changes(self):
        """Breaks once, then has another file, which `If-Range` notices."""
        if len(self.server.ranges) == 1:
            self.send(b"x" * 100_000, 200, len(DATA), ETag='"old"')
        else:
            assert self.headers.get("If-Range") == '"old"'
            self.send(DATA, ETag='"new"')

    def do_changes_silently(self):
        """Breaks once, then has another file, but answers the range from the new file."""
        first = self.start()
        if len(self.server.ranges) == 1:
            self.send(b"x" * 100_000, 200, len(DATA), ETag='"old"')
            return
        headers = {"Content_Range": f"bytes {first}-{len(DATA) - 1}/{len(DATA)}"} if first else {}
        self.send(DATA[first:], 206 if first else 200, ETag='"new"', **headers)

    def do_capped(self):
        """Breaks after 100,000 bytes, then gives 50,000 with each answer, as it is allowed to."""
        first = self.start()
        body = DATA[first : first + (50_000 if first else 100_000)]
        if first:
            self.send(body, 206, Content_Range=f"bytes {first}-{first + len(body) - 1}/{len(DATA)}")
        else:
            self.send(body, 200, len(DATA))

    def do_endless(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(DATA)

    def do_hidden_page(self):
        self.send(b"\n<!DOCTYPE html><html>sorry</html>", Content_Type="application/octet-stream")

    def do_too_long(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(DATA + DATA)

    def do_short_forever(self):
        self.send(DATA[:1000], length=len(DATA))

    def do_wrong(self):
        self.send(DATA[::-1])

    def do_page(self):
        self.send(b"<html>sorry</html>", Content_Type="text/html; charset=utf-8")

    def do_missing(self):
        self.send(b"", 404)

    def do_moved(self):
        self.send(b"", 302, Location="/cuts")

    def do_loop(self):
        self.send(b"", 302, Location="/loop")

    def do_to_file(self):
        self.send(b"", 302, Location="file:///etc/passwd")

    def do_hangs(self):
        """Makes the first client wait."""
        if len(self.server.ranges) == 1:
            self.server.stop.wait(60)
        else:
            self.send(DATA)

    def drip(self, byte):
        while not self.server.stop.wait(0.02):
            self.wfile.write(byte)

    def do_drips_headers(self):
        self.wfile.write(b"HTTP/1.0 200 OK\r\nX: ")
        self.drip(b"x")

    def do_drips_sizes(self):
        """Chunks may begin with comments of any length."""
        self.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;")
        self.drip(b"x")

    def do_drips_data(self):
        self.send(b"", length=len(DATA))
        self.drip(DATA[:1])

    def do_stalls(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(DATA)))
        self.end_headers()
        self.server.stop.wait(5)


@contextmanager
def serving() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.ranges, server.stop = [], threading.Event()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stop.set()
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(module.time, "sleep", lambda _: None)
    with serving() as started:
        yield started


def url(server, path: str) -> str:
    return f"http://127.0.0.1:{server.server_port}/{path}"


def nothing_left(folder) -> bool:
    return {each.name for each in folder.iterdir()} <= {"model.ckpt.lock"}


@pytest.mark.parametrize("path", ["good", "cuts", "cuts_and_forgets", "changes", "moved"])
def test_the_file_comes_whole(server, tmp_path, path):
    seen = []
    target = download(
        [url(server, path)],
        tmp_path / "model.ckpt",
        Wanted(sha256=DIGEST),
        progress=lambda *p: seen.append(p),
    )
    assert target.read_bytes() == DATA
    assert seen[-1][0] == len(DATA)
    left = {each.name for each in tmp_path.iterdir()} - {"model.ckpt.lock"}
    assert left == {"model.ckpt"}


def test_a_broken_connection_goes_on_where_it_stopped(server, tmp_path):
    download([url(server, "cuts")], tmp_path / "model.ckpt", Wanted(len(DATA), DIGEST))
    assert server.ranges == [None, "bytes=100000-", "bytes=200000-", "bytes=300000-"]


def test_another_run_goes_on_too(server, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "TRIES", 1)
    with pytest.raises(WeightsError, match=r"broke after 100000 of 307200"):
        download([url(server, "cuts")], tmp_path / "model.ckpt")
    assert not (tmp_path / "model.ckpt").exists()
    monkeypatch.setattr(module, "TRIES", 4)
    assert download([url(server, "cuts")], tmp_path / "model.ckpt").read_bytes() == DATA
    assert server.ranges[1] == "bytes=100000-"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("too_long", "sends more than the 307200 bytes"),
        ("wrong", "another file: SHA-256"),
        ("page", "a web page instead"),
        ("missing", "404"),
        ("loop", "redirect"),
        ("to_file", "is not allowed"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_stays(server, tmp_path, path, message):
    with pytest.raises(WeightsError, match=message):
        download(
            [url(server, path)],
            tmp_path / "model.ckpt",
            Wanted(len(DATA) if path != "page" else None, DIGEST),
        )
    assert nothing_left(tmp_path)


def test_lies_about_the_length_end(server, tmp_path):
    with pytest.raises(WeightsError, match="the connection broke"):
        download([url(server, "short_forever")], tmp_path / "model.ckpt")
    with pytest.raises(WeightsError, match="offers 307200 bytes, not 5"):
        download([url(server, "good")], tmp_path / "other.ckpt", Wanted(5))
    assert not (tmp_path / "model.ckpt").exists()
    assert not (tmp_path / "other.ckpt").exists()


def test_a_silent_server_is_given_up(server, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "TRIES", 2)
    with pytest.raises(WeightsError, match=r"broke \(TimeoutError\)"):
        download([url(server, "stalls")], tmp_path / "model.ckpt", timeout=0.2)


def test_mirrors_are_tried_in_order(server, tmp_path):
    addresses = ["ftp://example.org/x", *(url(server, each) for each in ("missing", "wrong", "cuts"))]
    assert download(addresses, tmp_path / "model.ckpt", Wanted(sha256=DIGEST)).read_bytes() == DATA


def test_nobody_listens(tmp_path):
    with serving() as closed:
        address = url(closed, "good")
    with pytest.raises(WeightsError, match=r"cannot fetch model\.ckpt: 127\.0\.0\.1:\d+: no answer"):
        download([address], tmp_path / "model.ckpt")


def test_another_download_that_does_not_end(server, tmp_path, monkeypatch):
    from filelock import FileLock

    monkeypatch.setattr(module, "PATIENCE", 0.1)
    with FileLock(tmp_path / "model.ckpt.lock"), pytest.raises(WeightsError, match="by another process"):
        download([url(server, "good")], tmp_path / "model.ckpt")
    assert server.ranges == []


def test_threads_that_want_one_file_fetch_it_once(server, tmp_path):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(8) as pool:
        wait = [
            pool.submit(download, [url(server, "cuts")], tmp_path / "model.ckpt", Wanted(len(DATA), DIGEST))
            for _ in range(8)
        ]
    assert {each.result().read_bytes() for each in wait} == {DATA}
    assert server.ranges == [None, "bytes=100000-", "bytes=200000-", "bytes=300000-"]
    assert {each.name for each in tmp_path.iterdir()} == {"model.ckpt", "model.ckpt.lock"}


def test_processes_wait_for_one_another_and_take_over(server, tmp_path):
    """The first process is killed; one of the others does the download, and the last one only finds the file."""
    code = "import sys; from pathlib import Path; from pixforge.models.download import Wanted, download; "
    code += "download([sys.argv[1]], Path(sys.argv[2]), Wanted(sha256=sys.argv[3]))"
    command = [sys.executable, "-c", code, url(server, "hangs"), str(tmp_path / "model.ckpt"), DIGEST]
    first = subprocess.Popen(command)
    while not server.ranges:
        assert first.poll() is None
        server.stop.wait(0.01)
    others = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    for other in others:
        assert other.stderr.readline() == "model.ckpt is being fetched by another process; waiting for it\n"
    first.kill()
    assert first.wait() == -signal.SIGKILL
    assert [(other.communicate()[1], other.returncode) for other in others] == [("", 0), ("", 0)]
    assert (tmp_path / "model.ckpt").read_bytes() == DATA
    assert len(server.ranges) == 2


def test_a_full_disk_is_named_before_it_is_full(server, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: type("Usage", (), {"free": 10})())
    with pytest.raises(WeightsError, match="are needed"):
        download([url(server, "good")], tmp_path / "model.ckpt")
    assert not (tmp_path / "model.ckpt").exists()


def test_outside_servers_cannot_lead_inside():
    handler = addresses.Redirects(hashed=True)
    request = addresses.urllib.request.Request("https://example.org/model")
    for address, message in (
        ("https://127.0.0.1/x", "this machine"),
        ("http://example.org/x", "from https to http"),
    ):
        with pytest.raises(addresses.FailedError, match=message):
            handler.redirect_request(request, None, 302, "", {}, address)


def test_plain_http_is_for_files_whose_hash_is_known(tmp_path):
    with pytest.raises(WeightsError, match=r"example\.org: it is not encrypted"):
        download(["http://someone:secret@example.org/x"], tmp_path / "model.ckpt")
    assert addresses.check_address("http://example.org/x", hashed=True)
    assert addresses.short("https://someone:secret@example.org:8/x") == "example.org:8"


def test_parts_of_a_range_are_not_the_whole(server, tmp_path, monkeypatch):
    """A server may give less than it is asked for; what it gave looks complete, but is not."""
    monkeypatch.setattr(module, "TRIES", 2)
    with pytest.raises(WeightsError, match=r"broke after 150000 of 307200"):
        download([url(server, "capped")], tmp_path / "model.ckpt")
    monkeypatch.setattr(module, "TRIES", 5)
    assert download([url(server, "capped")], tmp_path / "model.ckpt").read_bytes() == DATA


def test_a_changed_file_is_noticed_where_the_server_does_not(server, tmp_path):
    assert download([url(server, "changes_silently")], tmp_path / "model.ckpt").read_bytes() == DATA
    assert server.ranges == [None, "bytes=100000-", None]


def test_a_file_of_unknown_length_is_not_trusted(server, tmp_path):
    with pytest.raises(WeightsError, match="does not say how long"):
        download([url(server, "too_long")], tmp_path / "model.ckpt")
    assert download([url(server, "endless")], tmp_path / "model.ckpt", Wanted(sha256=DIGEST)).is_file()


def test_a_page_that_calls_itself_a_file(server, tmp_path):
    with pytest.raises(WeightsError, match="a web page instead"):
        download([url(server, "hidden_page")], tmp_path / "model.ckpt")
    assert not (tmp_path / "model.ckpt").exists()


def test_a_whole_part_needs_no_server(server, tmp_path):
    address = url(server, "good")
    (tmp_path / "model.ckpt.part").write_bytes(DATA)
    (tmp_path / "model.ckpt.part.json").write_text(json.dumps({"url": address, "total": len(DATA)}))
    assert download([address], tmp_path / "model.ckpt", Wanted(sha256=DIGEST)).read_bytes() == DATA
    assert server.ranges == []


def test_a_folder_that_cannot_be(server, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(WeightsError, match="cannot be written"):
        download([url(server, "good")], tmp_path / "file" / "model.ckpt")


@pytest.mark.parametrize("path", ["drips_headers", "drips_sizes", "drips_data"])
def test_a_server_that_sends_a_byte_now_and_then_is_given_up(server, tmp_path, monkeypatch, path):
    monkeypatch.setattr(module, "TRIES", 1)
    monkeypatch.setattr(addresses, "WINDOW", 0.2)
    with pytest.raises(WeightsError, match=r"it sends only \d+ bytes a second"):
        download([url(server, path)], tmp_path / "model.ckpt", Wanted(sha256=DIGEST), timeout=5)
    assert not (tmp_path / "model.ckpt").exists()
