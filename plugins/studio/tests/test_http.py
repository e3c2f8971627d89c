"""Who may ask the studio what: every way in that a page of another site, a script or a stranger's file could try."""

import json
import re
import socket
import threading
import zlib
from pathlib import Path

import pytest

TOKEN = "0123456789abcdef-secret"
SMALL = "prompts: [a red heart]\ninit: noise\nsize: 32\nseed: 1\nsteps: 3\nexporters: [still]\n"

JOBS = "/api/v1/jobs"


def error(content):
    return json.loads(content)["error"]


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:{port}",
        "127.0.0.1",
        "127.0.0.1.evil:{port}",
        "0.0.0.0:{port}",
        "127.0.0.1:1",
        "",
    ],
)
def test_another_host_is_refused(studio, host):
    """A name of a stranger that points to this machine (DNS rebinding)."""
    for path in ("/", JOBS, "/studio.js", f"/?token={TOKEN}"):
        status, _, content = studio.ask(path, headers={"Host": host.format(port=studio.port)})
        assert status in {400, 421}
        assert b"prompts" not in content


def test_two_hosts_are_refused(studio):
    with socket.create_connection(("127.0.0.1", studio.port), 5) as line:
        line.sendall(
            f"GET {JOBS} HTTP/1.1\r\nHost: 127.0.0.1:{studio.port}\r\nHost: evil\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode()
        )
        assert line.recv(100).startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "[::1]", "LOCALHOST"])
def test_our_own_names_are_served(studio, name):
    status, _, _ = studio.ask(JOBS, headers={"Host": f"{name}:{studio.port}"})
    assert status == (200 if name.islower() or name[0] in "1[" else 421)


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "null",
        "https://127.0.0.1:{port}",
        "http://127.0.0.1:1",
        "http://127.0.0.1:{port}.evil.example",
        "http://127.0.0.1:{port}@evil.example",
        "file://",
        "",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_another_origin_is_refused(studio, origin, method):
    body = {"text": SMALL} if method == "POST" else None
    status, headers, content = studio.ask(JOBS, body, headers={"Origin": origin.format(port=studio.port)})
    assert (status, error(content)) == (403, "a page of another site asks")
    assert not any(name.lower().startswith("access-control") for name in headers)


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_the_browser_says_that_another_site_asks(studio, site):
    assert studio.ask(JOBS, headers={"Sec-Fetch-Site": site})[0] == 403


def test_no_other_site_may_ask_beforehand(studio):
    wish = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
    assert studio.ask(JOBS, method="OPTIONS", headers=wish, token=None)[0] == 403


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": "Bearer "},
        {"Cookie": "pixforge-{port}=wrong"},
        {"Cookie": f"pixforge-1={TOKEN}"},
        {"Authorization": "Bearer \xe9"},
    ],
)
def test_without_the_token_nothing_is_served(studio, sent):
    sent = {name: value.format(port=studio.port) for name, value in sent.items()}
    for path in (JOBS, "/", "/studio.js", "/api/v1/events", "/api/v1/runs", "/api/v1/openapi.json"):
        status, _, content = studio.ask(path, headers=sent, token=None)
        assert (status, "token" in error(content)) == (401, True)


def test_the_printed_address_gives_a_cookie_that_scripts_of_pages_cannot_read(studio):
    status, headers, _ = studio.ask(f"/?token={TOKEN}", token=None)
    cookie = headers["set-cookie"]
    assert (status, headers["location"]) == (303, "/")
    assert {"HttpOnly", "SameSite=strict"} <= set(cookie.split("; "))
    status, headers, content = studio.ask("/", headers={"Cookie": cookie.split(";")[0]}, token=None)
    assert (status, b"<title>pixforge studio</title>" in content) == (200, True)
    assert studio.ask("/?token=wrong", token=None)[0] == 401


def test_each_answer_says_what_a_page_may_do(studio, done):
    for path in ("/", "/studio.js", JOBS, f"/api/v1/runs/{done}/files/image.png", "/nothing"):
        _, headers, _ = studio.ask(path)
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/octet-stream",
        "application/json-patch",
        None,
    ],
)
def test_only_json_changes_anything(studio, kind):
    """Forms of other pages can send the first three without asking."""
    assert studio.ask(JOBS, {"text": SMALL}, headers={"Content-Type": kind})[0] == 415
    assert studio.ask(f"{JOBS}/1/stop", b"{}", headers={"Content-Type": kind})[0] == 415


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b"\xff\xfe", b"[" * 100_000, b'{"text": 5}', b'{"text": null}', b"{}"]
)
def test_what_is_no_request_gets_one_line(studio, body):
    status, _, content = studio.ask(JOBS, body)
    assert status in {400, 422}
    assert "Traceback" not in error(content)


def test_huge_contents_are_refused_before_they_are_sent(studio):
    for path, kind, size in (
        (JOBS, "application/json", 2**21),
        ("/api/v1/recipes/of-file", "application/octet-stream", 2**30),
    ):
        headers = {"Content-Type": kind, "Content-Length": str(size)}
        assert studio.ask(path, b"x", headers=headers)[0] == 413
    assert studio.ask(JOBS, {"text": "#" * (2**18 + 1)})[0] == 413


def test_a_huge_content_of_unknown_length_is_refused(studio):
    with socket.create_connection(("127.0.0.1", studio.port), 10) as line:
        line.sendall(
            f"POST {JOBS} HTTP/1.1\r\nHost: 127.0.0.1:{studio.port}\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        )
        chunk = b"10000\r\n" + b"x" * 2**16 + b"\r\n"
        try:
            for _ in range(40):
                line.sendall(chunk)
        except OSError:
            return  # closed on us
        assert line.recv(100).startswith(b"HTTP/1.1 413")


OUTSIDE = ["..", "../secret.txt", "..%2fsecret.txt", "%2e%2e/secret.txt", "%2e%2e%2fsecret.txt", "..%5csecret.txt", "..%252fsecret.txt", ".studio/server.json", "/etc/passwd", "%2fetc%2fpasswd", "%00", "a%00b", "C:%5csecret", "....//secret.txt", "a/../../secret.txt", "~", "%ff", "x" * 5000]  # fmt: skip


@pytest.mark.parametrize("path", OUTSIDE, ids=lambda path: path[:20])
def test_nothing_outside_is_served(studio, done, path):
    (studio.folder.parent / "secret.txt").write_text("secret")
    (studio.folder / "secret.txt").write_text("secret")
    for address in (
        f"/api/v1/runs/{path}",
        f"/api/v1/runs/{path}/files/image.png",
        f"/api/v1/runs/{done}/files/{path}",
        f"/api/v1/runs/{done}/../{path}",
        f"/api/v1/runs/{path}/thumb.jpg",
        f"/{path}",
    ):
        status, _, content = studio.ask(address)
        assert status in {400, 404, 431} or address.endswith("runs/"), address
        assert b"secret" not in content
        assert b"root:" not in content


def test_links_are_not_followed(studio, done):
    elsewhere = studio.folder.parent / "elsewhere"
    elsewhere.mkdir()
    run = studio.folder / done
    for name in ("run.json", "recipe.yaml", "image.png"):
        (elsewhere / name).write_bytes((run / name).read_bytes())
    (studio.folder / "linked").symlink_to(elsewhere)
    (run / "link.png").symlink_to(elsewhere / "image.png")
    assert studio.ask("/api/v1/runs/linked")[0] == 404
    assert studio.ask("/api/v1/runs/linked/files/image.png")[0] == 404
    assert studio.ask(f"/api/v1/runs/{done}/files/link.png")[0] == 404
    assert "linked" not in [each["run"] for each in studio.json("/runs")["runs"]]


def test_what_a_browser_would_run_is_not_sent(studio, done):
    for name, kind in (
        ("page.html", None),
        ("x.js", None),
        ("x.svg", "text/plain"),
        ("x.json", "application/json"),
    ):
        (studio.folder / done / name).write_text("<script>alert(1)</script>")
        status, headers, _ = studio.ask(f"/api/v1/runs/{done}/files/{name}")
        assert status == (200 if kind else 404)
        assert kind is None or headers["content-type"].startswith(kind)


def test_recipes_run_no_plugin_files(studio):
    (studio.folder / "evil.py").write_text(f"open({str(studio.folder / 'ran')!r}, 'w')")
    (studio.folder / "plugins").mkdir()
    (studio.folder / "plugins" / "evil.py").write_text(f"open({str(studio.folder / 'ran')!r}, 'w')")
    text = "prompts: [a fox]\nplugins: [./evil.py]\n"
    for path in ("/api/v1/recipes/check", JOBS):
        _, _, content = studio.ask(path, {"text": text})
        problem = json.loads(content)["problems"][0]
        assert (problem["line"], "plugin files were not allowed" in problem["message"]) == (2, True)
    studio.json("/recipes/check", {"text": SMALL})
    assert not (studio.folder / "ran").exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"\x89PNG\r\n\x1a\n",
        b"GIF89a\xff\xff\xff\xff",
        b"\xff\xd8\xff\xe0",
        b"\x00\x00\x00\x18ftypmp42",
        b"RIFF\x00\x00\x00\x00WEBP",
    ],
)
def test_a_file_without_a_recipe_gets_one_line(studio, content):
    status, _, answer = studio.ask(
        "/api/v1/recipes/of-file", content, headers={"Content-Type": "application/octet-stream"}
    )
    assert status == 422
    assert str(studio.folder) not in error(answer)
    assert not list((studio.folder / ".studio").glob("upload-*"))


def chunk(kind, content):
    body = kind + content
    return len(content).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")


def bomb(side):
    """A PNG that says that it is huge, of a few hundred bytes."""
    head = side.to_bytes(4, "big") * 2 + b"\x08\x02\x00\x00\x00"
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(bytes(2**20)))
        + chunk(b"IEND", b"")
    )


def test_picture_bombs_are_not_opened(studio, done):
    octets = {"Content-Type": "application/octet-stream"}
    assert studio.ask("/api/v1/recipes/of-file", bomb(60_000), headers=octets)[0] == 422
    run = studio.folder / "bomb"
    run.mkdir()
    (run / "recipe.yaml").write_text(SMALL)
    (run / "run.json").write_text(json.dumps({"files": ["image.png"], "status": "finished"}))
    (run / "image.png").write_bytes(bomb(60_000))
    assert studio.ask("/api/v1/runs/bomb/thumb.jpg")[0] == 204


@pytest.mark.parametrize(
    "manifest",
    [
        "",
        "[]",
        "{",
        '{"files": 5, "steps": "x", "seed": {}, "lineage": 3}',
        '{"files": ["../../secret.txt", "/etc/passwd", 5]}',
        "[" * 100_000,
        "\x00",
    ],
)
def test_a_gallery_with_damaged_runs_opens(studio, done, manifest):
    run = studio.folder / "damaged"
    run.mkdir(exist_ok=True)
    (run / "run.json").write_text(manifest)
    found = [each["run"] for each in studio.json("/runs")["runs"]]
    assert done in found
    assert "damaged" not in found
    assert studio.json("/runs/damaged")["files"] == []


def test_a_thousand_connections_do_not_keep_others_out(studio):
    lines = []
    try:
        lines.extend(socket.create_connection(("127.0.0.1", studio.port), 5) for _ in range(1000))
        assert "jobs" in studio.json("/jobs")
    except OSError as problem:
        if problem.errno != 24:  # too many open files, of this process
            raise
        pytest.skip("the limit of open files here is too low")
    finally:
        for each in lines:
            each.close()


def test_watchers_have_an_end(studio):
    lines = []
    for _ in range(70):
        line = socket.create_connection(("127.0.0.1", studio.port), 5)
        line.sendall(
            f"GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1:{studio.port}\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode()
        )
        lines.append(line)
    answers = [line.recv(12) for line in lines]
    for each in lines:
        each.close()
    assert answers.count(b"HTTP/1.1 200") in {63, 64}  # the page of other tests may watch too
    assert answers[-1] == b"HTTP/1.1 503"
    studio.when(lambda: studio.ask("/api/v1/jobs")[0] == 200)


def test_a_slow_client_keeps_nobody_waiting(studio):
    with socket.create_connection(("127.0.0.1", studio.port), 5) as line:
        line.sendall(
            f"POST {JOBS} HTTP/1.1\r\nHost: 127.0.0.1:{studio.port}\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{{".encode()
        )
        assert "jobs" in studio.json("/jobs")


def test_it_listens_on_this_machine_alone(studio):
    table = Path("/proc/net/tcp").read_text().splitlines()[1:]
    ours = [
        row.split()[1]
        for row in table
        if row.split()[1].endswith(f":{studio.port:04X}") and row.split()[3] == "0A"
    ]
    assert ours == [f"0100007F:{studio.port:04X}"]


def test_a_websocket_is_refused(studio):
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "x" * 24,
    }
    assert studio.ask("/api/v1/events2", headers={**upgrade, "Origin": "http://evil.example"})[0] == 403


def test_the_description_has_every_route_and_no_other(studio, tmp_path):
    from pixforge_studio.api import Api
    from pixforge_studio.folder import Folder
    from pixforge_studio.line import Line

    folder = Folder(tmp_path)
    api = Api(folder, Line(folder), lambda: False)
    routes = {
        (re.sub(r":\w+}", "}", route.path), method.lower())
        for route in api.routes()
        for method in route.methods - {"HEAD"}
    }
    described = studio.json("/openapi.json")["paths"]
    assert {(path, method) for path, methods in described.items() for method in methods} == {
        each for each in routes if each[0].startswith("/api/")
    }


def test_many_at_once(studio):
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(studio.json("/recipes/check", {"text": SMALL})))
        for _ in range(8)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert [each["problems"] for each in found] == [[]] * 8


@pytest.mark.parametrize("offset", [-1, 10**9, "1", None, True, 1.5])
@pytest.mark.parametrize("word", ["complete", "about"])
def test_a_place_outside_of_the_text_is_refused(studio, word, offset):
    assert studio.ask(f"/api/v1/recipes/{word}", {"text": "steps: 3", "offset": offset})[0] == 422
    assert studio.ask(f"/api/v1/recipes/{word}", {"text": "#" * (2**18 + 1), "offset": 0})[0] == 413
