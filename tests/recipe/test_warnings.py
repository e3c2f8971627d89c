from __future__ import annotations

from pixforge.recipe import load_recipe


def test_a_picture_among_the_prompts_that_is_read_as_a_text_is_worth_a_warning(write, caplog, tmp_path):
    (tmp_path / "sketch.png").write_bytes(b"x")
    load_recipe(write("prompts: [sketch.png]\n"))
    assert "prompts: 'sketch.png' is read as a text; {image: sketch.png} means the picture" in caplog.text
    caplog.clear()
    load_recipe(write("prompts: [other.png, a sketch.png of a cat, {image: sketch.png}]\n"))
    assert not caplog.text
