"""A studio in a process of its own, requests as anyone could send them, and a browser where Chromium is installed."""

import base64
import contextlib
import fcntl
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

TOKEN = "0123456789abcdef-secret"
SMALL = "prompts: [a red heart]\ninit: noise\nsize: 32\nseed: 1\nsteps: 3\nexporters: [still]\n"


class Studio:
    """The server, and what one may ask it."""

    def __init__(self, folder, *, warm=False):
        self.folder = Path(folder)
        self.options = [] if warm else ["--cold"]
        self.process = None
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pixforge_studio", str(self.folder), "0", *self.options],
            env={**os.environ, "PIXFORGE_STUDIO_TOKEN": TOKEN, "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.address = self.process.stdout.readline().strip()
        assert self.address, self.process.stderr.read()
        self.port = int(self.address.split(":")[2].split("/")[0])

    def end(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.process.wait(30)
        self.process.stdout.close()
        self.process.stderr.close()

    def ask(self, path, body=None, method=None, headers=None, *, token=TOKEN):
        """Send a request, and return status, headers and content. A header of None is left out."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        sent = {"Host": f"127.0.0.1:{self.port}"}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        if body is not None:
            sent |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
        sent |= headers or {}
        connection.putrequest(method or ("GET" if body is None else "POST"), path, skip_host=True)
        for name, value in sent.items():
            if value is not None:
                connection.putheader(name, value)
        connection.endheaders()
        if body is not None:
            with contextlib.suppress(OSError):  # refused before all was sent
                connection.send(body)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, dict(answer.getheaders()), content

    def json(self, path, body=None, method=None):
        status, _, content = self.ask("/api/v1" + path, body, method)
        assert status < 300, content
        return json.loads(content)

    def add(self, text=SMALL):
        return self.json("/jobs", {"text": text})

    def until(self, job, *states, seconds=60):
        """Wait until an entry is in one of these states."""
        return self.when(
            lambda: (found := self.json(f"/jobs/{job['id']}"))["state"] in states and found, seconds
        )

    @staticmethod
    def when(true, seconds=60):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if found := true():
                return found
            time.sleep(0.05)
        raise AssertionError(f"did not happen within {seconds} s")

    def worker(self):
        """The process that makes runs."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(children[-1]) if children else None


@pytest.fixture(scope="session")
def studio(tmp_path_factory):
    made = Studio(tmp_path_factory.mktemp("studio"))
    yield made
    made.end()


@pytest.fixture(scope="session")
def done(studio):
    """A run that is finished: its name."""
    job = studio.add()
    assert studio.until(job, "finished", "failed")["state"] == "finished"
    return job["run"]


class Browser:
    """Chromium without a window, by its debugging protocol over two pipes."""

    def __init__(self, program, home):
        ours_in, theirs_out = os.pipe()
        theirs_in, ours_out = os.pipe()
        options = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--remote-debugging-pipe",
            f"--user-data-dir={home}",
        ]
        options += [
            "--no-first-run",
            "--disable-background-networking",
            "--disable-extensions",
            "--mute-audio",
        ]
        # The protocol is spoken on 3 and 4, which may be anything here.
        low = [fcntl.fcntl(each, fcntl.F_DUPFD, 10) for each in (theirs_in, theirs_out)]
        actions = [(os.POSIX_SPAWN_DUP2, low[0], 3), (os.POSIX_SPAWN_DUP2, low[1], 4)]
        actions += [(os.POSIX_SPAWN_OPEN, each, os.devnull, os.O_RDWR, 0) for each in (1, 2)]
        self.process = os.posix_spawn(
            program, [program, *options, "about:blank"], os.environ, file_actions=actions
        )
        for each in (theirs_in, theirs_out, *low):
            os.close(each)
        self._in, self._out, self._number, self._rest = ours_in, ours_out, 0, b""
        self.events = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = None
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method, **parameters):
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if getattr(self, "session", None):
            message["sessionId"] = self.session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            found = self._read()
            if found.get("id") == self._number:
                assert "error" not in found, found
                return found["result"]
            self.events.append(found)

    def _read(self):
        while b"\0" not in self._rest:
            more = os.read(self._in, 2**20)
            assert more, "the browser is gone"
            self._rest += more
        line, self._rest = self._rest.split(b"\0", 1)
        return json.loads(line)

    def run(self, script):
        """The value of a script's last expression."""
        found = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def until(self, script, seconds=15):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if found := self.run(f"Boolean({script})"):
                return found
            time.sleep(0.05)
        raise AssertionError(f"not within {seconds} s: {script}")

    def size(self, width, height=900, *, dark=False):
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        media = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.call("Emulation.setEmulatedMedia", features=media)

    def press(self, key, code, number, modifiers=0):
        for kind in ("keyDown", "keyUp"):
            self.call(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                code=code,
                windowsVirtualKeyCode=number,
                modifiers=modifiers,
            )

    def mouse(self, kind, x, y):
        pressed = (
            {"button": "left", "buttons": 1} if kind != "mouseMoved" or getattr(self, "_down", False) else {}
        )
        self._down = kind == "mousePressed" or (kind == "mouseMoved" and getattr(self, "_down", False))
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, clickCount=1, **pressed)

    def drag(self, *points):
        """Press at the first point, move through the others, and let go at the last."""
        self.mouse("mousePressed", *points[0])
        for each in points[1:]:
            self.mouse("mouseMoved", *each)
        self.mouse("mouseReleased", *points[-1])

    def picture(self, path):
        Path(path).write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))

    def end(self):
        os.kill(self.process, signal.SIGTERM)
        os.waitpid(self.process, 0)
        os.close(self._in)
        os.close(self._out)


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("no Chromium: on Debian, apt install chromium")
    made = Browser(program, tmp_path_factory.mktemp("browser"))
    yield made
    made.end()
