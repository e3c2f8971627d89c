"""Figures of the studio: `python plugins/studio/tests/figures.py [RUNS]` prints them; Chromium must be there."""

import json
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

from conftest import TOKEN, Browser, Studio

CLICKS = 5
TEXT = "prompts:\n- a red heart\nseed: {seed}\n"
STARTS = {"by default": "", "from noise": "init: noise\n"}
SMALL = "prompts: [a red heart]\ninit: noise\nsize: 32\nsteps: 3\nexporters: [still]\n"
GALLERY = 500


def megabytes(process):
    """What a process takes."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) // 1024


def open_page(studio, browser):
    """Show it."""
    browser.size(1280)
    browser.call("Page.navigate", url=f"http://127.0.0.1:{studio.port}/?token={TOKEN}")
    browser.until("document.querySelector('#verdict')?.textContent === 'valid'")


def first_pictures(studio, browser, more):
    """Seconds from the click on Run to the first picture on the screen, by a worker that is warm."""
    found = []
    for seed in range(CLICKS):
        browser.run(f"setText({json.dumps(TEXT.format(seed=seed) + more)}); check()")
        browser.until("document.querySelector('#verdict').textContent === 'valid'")
        last = max(each["id"] for each in studio.json("/jobs")["jobs"])
        script = """new Promise(done => {
          const image = document.querySelector('#preview'), begin = performance.now();
          image.addEventListener('load', function once() {
            if (Number(image.src.match(/jobs.(\\d+)/)[1]) <= LAST) return;
            image.removeEventListener('load', once);
            requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - begin)));
          });
          document.querySelector('#run').click();
        })"""
        found.append(browser.run(script.replace("LAST", str(last))) / 1000)
        job = studio.json("/jobs")["jobs"][-1]
        studio.until(job, "running", "finished")
        if studio.json(f"/jobs/{job['id']}")["state"] == "running":
            studio.json(f"/jobs/{job['id']}/stop", {})
        studio.until(job, "stopped", "finished")
        studio.json(f"/jobs/{job['id']}", {}, "DELETE")
    return found


def gallery(studio, browser):
    """Seconds until the gallery of many runs shows its first pictures."""
    (source,) = [studio.folder / each["run"] for each in studio.json("/runs?limit=1")["runs"]]
    for number in range(GALLERY):
        shutil.copytree(source, studio.folder / f"copy-{number:03d}")
    studio.end()
    studio.start()
    open_page(studio, browser)
    time.sleep(5)
    browser.run("window.begin = performance.now(); location.hash = '#gallery'")
    browser.until(
        "document.querySelectorAll('#pictures li').length >= 60 && [...document.querySelectorAll('#pictures img')].slice(0, 12).every(each => each.naturalWidth)"
    )
    return browser.run("performance.now() - begin") / 1000


def memory(studio, runs):
    """What server and worker take while they make many small runs."""
    found = []
    for number in range(runs):
        job = studio.add(SMALL)
        studio.until(job, "finished")
        if number % max(1, runs // 8) == 0 or number == runs - 1:
            found.append((number + 1, megabytes(studio.process.pid), megabytes(studio.worker())))
    return found


def main():
    """Print all of them."""
    home = Path(tempfile.mkdtemp())
    studio = Studio(home / "studio", warm=True)
    browser = Browser(shutil.which("chromium"), home / "browser")
    try:
        open_page(studio, browser)
        studio.until(studio.add(SMALL), "finished", seconds=120)  # until the worker is warm
        for start, more in STARTS.items():
            seconds = first_pictures(studio, browser, more)
            shown = [round(each, 2) for each in seconds]
            print(f"first picture {start}: median {statistics.median(seconds):.2f} s, of {shown}", flush=True)
        print(f"gallery of {GALLERY} runs: {gallery(studio, browser):.2f} s")
        began = time.monotonic()
        runs = int(sys.argv[1]) if len(sys.argv) > 1 else 200
        for number, server, worker in memory(studio, runs):
            print(f"after {number} runs: server {server} MB, worker {worker} MB")
        print(f"{runs} runs in {time.monotonic() - began:.0f} s")
    finally:
        browser.end()
        studio.end()
        shutil.rmtree(home)


if __name__ == "__main__":
    main()
