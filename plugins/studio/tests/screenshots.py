"""Makes the pictures of docs/studio.md: `python plugins/studio/tests/screenshots.py`; Chromium must be there."""

import json
import shutil
import tempfile
import time
from pathlib import Path

from conftest import TOKEN, Browser, Studio

ROOT = Path(__file__).parents[3]
TEXT = "# a first try\nprompts:\n- {prompt}\nsize: 128\nsteps: {steps}\nseed: {seed}\n"
FILM = """\
film: {fps: 12, steps_per_frame: 2}
size: 128
scenes:
- {seconds: 2, prompts: [a red apple]}
- {seconds: 3, fade: 1.5, prompts: [a green frog]}
- {seconds: 2, fade: 1, prompts: [a blue butterfly]}
losses:
- {type: smoothness, weight: {0%: 2, 40%: 0.5, 100%: 1, ease: cosine}}
"""
MADE = (
    "a red heart",
    "a blue flower",
    "a green tree",
    "a yellow sun",
    "a red apple",
    "a blue fish",
    "an orange pumpkin",
    "a purple butterfly",
)


def take(browser, name, width=1280, height=900, *, dark=False, before="1"):
    """A picture of what is shown after a script."""
    from PIL import Image

    browser.size(width, height, dark=dark)
    browser.run(before)
    time.sleep(0.6)
    path = ROOT / "docs" / "images" / f"studio-{name}.jpg"
    with tempfile.TemporaryDirectory() as home:
        browser.picture(Path(home) / "x.png")
        Image.open(Path(home) / "x.png").convert("RGB").save(path, quality=85, optimize=True)


def write(browser, text):
    """Put a recipe into the editor."""
    browser.run(f"setText({json.dumps(text)}); check()")
    browser.until("document.querySelector('#verdict').textContent !== ''")


def main():
    """Make runs to be shown, and take all pictures."""
    home = Path(tempfile.mkdtemp())
    studio, browser = Studio(home / "studio"), Browser(shutil.which("chromium"), home / "browser")
    try:
        for seed, prompt in enumerate(MADE):
            job = studio.add(TEXT.format(prompt=prompt, steps=25, seed=seed))
            studio.until(job, "finished", seconds=300)
        browser.size(1280)
        browser.call("Page.navigate", url=f"http://127.0.0.1:{studio.port}/?token={TOKEN}")
        browser.until("document.querySelector('#verdict')?.textContent === 'valid'")
        write(browser, TEXT.format(prompt="a red heart", steps=400, seed=8))
        job = studio.add(TEXT.format(prompt="a red heart", steps=400, seed=8))
        studio.when(lambda: studio.json(f"/jobs/{job['id']}")["step"] > 25, 300)
        browser.run("location.hash = '#make'")
        take(browser, "make", height=980)
        studio.json(f"/jobs/{job['id']}/look", {})
        browser.until("document.querySelector('#cutouts').naturalWidth > 0")
        browser.run("location.hash = '#watch'")
        take(browser, "watch", 390, 1500, dark=True)
        studio.json(f"/jobs/{job['id']}/stop", {})
        studio.until(job, "stopped")
        browser.run("location.hash = '#make'; document.querySelector('#film').open = true")
        write(browser, FILM)
        browser.until("document.querySelectorAll('.scene').length === 3")
        take(
            browser,
            "film",
            before="document.querySelector('#film').scrollIntoView({block: 'end'}); scrollBy(0, 20)",
        )
        browser.run("location.hash = '#gallery'")
        browser.until("document.querySelectorAll('#pictures li').length >= 8")
        take(browser, "gallery", height=860)
        browser.run(
            "[...document.querySelectorAll('.pick')].slice(1, 3).forEach(each => each.click()); document.querySelector('#compare').click()"
        )
        browser.until("document.querySelector('#over-b').naturalWidth > 0")
        take(browser, "compare", dark=True)
    finally:
        browser.end()
        studio.end()
        shutil.rmtree(home)


if __name__ == "__main__":
    main()
