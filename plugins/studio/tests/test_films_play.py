"""A film of pixforge plays in a browser, and has the length that was asked for, to the frame."""

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

import pixforge


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def address(tmp_path):
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


PLAY = """
(async () => {
  const film = document.createElement("video");
  film.muted = true;
  film.src = NAME;
  document.body.append(film);
  const seen = new Set();
  const look = (_, frame) => { seen.add(frame.mediaTime.toFixed(3)); film.requestVideoFrameCallback(look); };
  film.requestVideoFrameCallback(look);
  await new Promise((done, failed) => {
    film.onended = done;
    film.onerror = () => failed(new Error(film.error.message));
    film.play().catch(failed);
  });
  return [film.videoWidth, film.videoHeight, film.duration, film.getVideoPlaybackQuality().totalVideoFrames, seen.size];
})()
"""


@pytest.mark.parametrize("format_", ["mp4", "webm"])
def test_a_film_plays_and_has_every_frame(browser, address, tmp_path, format_):
    """33 x 35 pixels: H.264 wants even sides. 1.4 seconds of 5 frames."""
    recipe = pixforge.load_recipe(
        {
            "film": {"fps": 5, "steps_per_frame": 1, "first_frame_steps": 1},
            "scenes": [{"seconds": 1.4, "prompts": ["red"]}],
            "size": [33, 35],
            "seed": 1,
            "generator": "pixels",
            "init": "noise",
            "cutouts": {"count": 1},
            "exporters": [{"type": "film", "format": format_}],
        }
    )
    pixforge.render(recipe, tmp_path / "out")
    browser.call("Page.navigate", url=f"{address}/out/")
    browser.until("document.readyState === 'complete' && location.pathname === '/out/'")
    width, height, seconds, shown, seen = browser.run(PLAY.replace("NAME", f"'film.{format_}'"))
    assert (width, height) == (34, 36)
    assert seconds == pytest.approx(7 / 5, abs=0.002)
    assert shown == 7
    assert seen >= 6  # the page may miss one while it is busy
