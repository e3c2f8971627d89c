"""Pictures that people bring: dropped, pasted, and masks painted on them."""

import base64
import io
import json
from pathlib import Path

import pytest
from PIL import Image

TOKEN = "0123456789abcdef-secret"
OCTETS = {"Content-Type": "application/octet-stream"}
HAND_OVER = """((kind, name, type, content) => {
  const bytes = Uint8Array.from(atob(content), c => c.charCodeAt(0)), all = new DataTransfer();
  all.items.add(new File([bytes], name, {type}));
  const event = kind === "drop" ? new DragEvent("drop", {dataTransfer: all, bubbles: true, cancelable: true})
    : new ClipboardEvent("paste", {clipboardData: all, bubbles: true, cancelable: true});
  document.body.dispatchEvent(event);
})"""


def png(color=(200, 30, 40), size=(64, 64)):
    file = io.BytesIO()
    Image.new("RGB", size, color).save(file, "PNG")
    return file.getvalue()


def hand_over(page, kind, content, name="x.png", mime="image/png"):
    page.run(
        f"{HAND_OVER}({json.dumps(kind)}, {json.dumps(name)}, {json.dumps(mime)}, {json.dumps(base64.b64encode(content).decode())})"
    )


@pytest.fixture
def page(browser, studio):
    browser.size(1280)
    browser.call("Page.navigate", url=f"http://127.0.0.1:{studio.port}/?token={TOKEN}")
    browser.until("document.querySelector('#verdict')?.textContent === 'valid'")
    text = "prompts:\n- a red heart\nsize: 64\nseed: 1\nsteps: 2\ngenerator: pixels\nexporters: [still]\n"
    browser.run(f"setText({json.dumps(text)}); check()")
    browser.until("form?.size === '64'")
    return browser


def kept(studio, content):
    status, _, answer = studio.ask("/api/v1/pictures", content, headers=OCTETS)
    return status, json.loads(answer)


def test_a_picture_is_kept_as_it_is(studio):
    content = png()
    status, found = kept(studio, content)
    assert (status, found["width"], found["height"]) == (201, 64, 64)
    assert studio.ask(f"/api/v1/pictures/{found['name']}")[2] == content
    assert (studio.folder / found["path"]).read_bytes() == content
    assert kept(studio, content)[1] == found  # the same picture is the same file


def bomb():
    """A PNG that says it has 60000 x 60000 pixels."""
    content = bytearray(png())
    import zlib

    content[16:24] = (60_000).to_bytes(4, "big") * 2
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    return bytes(content)


@pytest.mark.parametrize(
    "content",
    [b"", b"hello", png()[:40], b"GIF89a" + bytes(20), b"<svg xmlns='http://www.w3.org/2000/svg'/>", bomb()],
)
def test_what_is_no_picture_is_refused(studio, content):
    before = sorted((studio.folder / "pictures").glob("*")) if (studio.folder / "pictures").exists() else []
    status, found = kept(studio, content)
    assert status == 422
    assert "picture" in found["error"] or "PNG" in found["error"]
    after = sorted((studio.folder / "pictures").glob("*")) if (studio.folder / "pictures").exists() else []
    assert before == after


def test_pictures_are_sent_by_those_who_may_and_are_not_too_large(studio):
    content = png()
    assert studio.ask("/api/v1/pictures", content, headers=OCTETS, token=None)[0] == 401
    assert (
        studio.ask("/api/v1/pictures", content, headers={**OCTETS, "Origin": "http://evil.example"})[0] == 403
    )
    assert studio.ask("/api/v1/pictures", content, headers={**OCTETS, "Host": "evil.example"})[0] == 421
    assert studio.ask("/api/v1/pictures", {"a": 1})[0] == 415
    assert studio.ask("/api/v1/pictures", b"x", headers={**OCTETS, "Content-Length": str(2**30)})[0] == 413


@pytest.mark.parametrize(
    "name",
    ["..", "..%2fsecret.png", "%2e%2e%2fx.png", ".x.png", "x.html", "link.png", "x%00.png", "x.png/.."],
)
def test_no_other_file_is_sent_as_a_picture(studio, name):
    home = studio.folder / "pictures"
    home.mkdir(exist_ok=True)
    (studio.folder / "secret.png").write_bytes(png())
    (home / "x.html").write_text("<script>alert(1)</script>")
    if not (home / "link.png").is_symlink():
        (home / "link.png").symlink_to(studio.folder / "secret.png")
    assert studio.ask(f"/api/v1/pictures/{name}")[0] == 404


def test_a_link_takes_no_pictures(tmp_path):
    from pixforge_studio.folder import Folder
    from pixforge_studio.pictures import NoPicture, find, keep

    (tmp_path / "elsewhere").mkdir()
    folder = Folder(tmp_path / "studio")
    (folder.root / "pictures").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(NoPicture, match="link"):
        keep(folder, png())
    (tmp_path / "elsewhere" / "x.png").write_bytes(png())
    assert find(folder, "x.png") is None


def test_a_dropped_picture_shows_its_recipe_which_is_loaded(page, studio, done):
    hand_over(page, "drop", studio.ask(f"/api/v1/runs/{done}/files/image.png")[2])
    page.until(
        "document.querySelector('#dropped').open && document.querySelector('#dropped-recipe').textContent.includes('a red heart')"
    )
    page.until("document.querySelector('#dropped-picture').naturalWidth === 32")
    page.run("document.querySelector('#dropped-load').click()")
    page.until("editor.text.startsWith('version: 1') && !document.querySelector('#dropped').open")


def test_a_dropped_video_shows_its_recipe(page, studio):
    job = studio.add("prompts: [a green tree]\ninit: noise\nsize: 32\nsteps: 4\nexporters: [video]\n")
    studio.until(job, "finished", "failed")
    (video,) = (studio.folder / job["run"]).glob("*.mp4")
    hand_over(page, "drop", video.read_bytes(), "x.mp4", "video/mp4")
    page.until(
        "document.querySelector('#dropped').open && document.querySelector('#dropped-recipe').textContent.includes('a green tree')"
    )
    assert not page.run("document.querySelector('#dropped-start').checkVisibility()")
    page.run("document.querySelector('#dropped').close()")


def test_a_pasted_picture_is_the_start_and_painted_parts_are_kept(page, studio):
    """What is painted with the mouse stays as it is, to the bit; the rest becomes something else."""
    hand_over(page, "paste", png())
    page.until("document.querySelector('#dropped').open")
    page.run("document.querySelector('#dropped-keep').click()")
    page.until("document.querySelector('#painter').open && painter.ground !== null")
    page.until(
        "form.picture?.startsWith('pictures/') && document.querySelector('#start').naturalWidth === 64"
    )
    x, y, side = page.run(
        "(b => [b.left, b.top, b.width])(document.querySelector('#mask').getBoundingClientRect())"
    )
    page.run("document.querySelector('#brush').value = 60")
    page.drag(*[(x + side / 4, y + share * side) for share in (0.1, 0.5, 0.9)])
    page.run("document.querySelector('#mask-use').click()")
    page.until("form.keep !== null && document.querySelector('#verdict').textContent === 'valid'")
    mask = studio.folder / page.run("form.keep.kept.match(/where: .image: (pictures.\\w+.png)/)[1]")
    white = Image.open(mask).convert("L").resize((64, 64))
    assert (white.getpixel((16, 32)), white.getpixel((48, 32))) == (255, 0)
    job = studio.add(page.run("editor.text"))
    assert studio.until(job, "finished", "failed")["state"] == "finished"
    made = Image.open(Path(studio.folder) / job["run"] / "image.png").convert("RGB")
    assert made.getpixel((16, 32)) == (200, 30, 40)
    assert made.getpixel((48, 32)) != (200, 30, 40)


def test_a_prompt_gets_a_part_painted_by_keys(page, studio):
    page.run("document.querySelector('.prompt .part').click()")
    page.until("document.querySelector('#painter').open")
    page.press("ArrowLeft", "ArrowLeft", 37, modifiers=8)
    page.press(" ", "Space", 32)
    page.run("document.querySelector('#mask-use').click()")
    page.until("form.prompts[0].where?.image?.startsWith('pictures/')")
    page.until("document.querySelector('.prompt .part').textContent === 'Not only a part'")
    assert "where: {image: pictures/" in page.run("editor.text")
    page.run("document.querySelector('.prompt .part').click()")
    page.until("editor.text.startsWith('prompts:\\n- a red heart\\n')")
