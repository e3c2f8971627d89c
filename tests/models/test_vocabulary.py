"""A word or a script that the model does not know is worth a warning."""

import pytest

from pixforge.builtin.perceptors.open_clip import OpenClip, OpenClipConfig
from pixforge.models.clip.vocabulary import other_script, unknown_words
from pixforge.testing import make_context


@pytest.mark.parametrize(
    "text",
    [
        "a red heart on a white background",
        "two cats' boats, a dog's house!",
        "an oil painting of a sunflower, 4k",
        "a giraffe left of a castle",
    ],
)
def test_what_it_was_trained_with(text):
    assert unknown_words([text]) == {}


def test_unknown_words_come_with_the_nearest():
    found = unknown_words(["a sunflowr and zxqwv", "a zxqwv"])
    assert found["sunflowr"][0] == "sunflower"
    assert found["zxqwv"] == []
    assert list(found) == ["sunflowr", "zxqwv"]
    assert unknown_words(["x" * 100_000]) == {"x" * 100_000: []}


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("красное сердце", "Cyrillic"),
        ("赤いハート", "Cjk"),
        ("a heart ❤", None),
        ("ein Schloß", None),
        ("♥ 12", None),
    ],
)
def test_scripts(text, script):
    assert other_script(text) == script


def test_the_embedded_perceptor_says_so_once(caplog):
    eye = OpenClip(OpenClipConfig(), make_context())
    for _ in range(2):
        eye.encode_text(["a red sunflowr", "красное сердце"])
    assert [text for text in caplog.messages if "reads only" not in text] == [
        "embedded reads English; 'красное сердце' is in Cyrillic letters and may mean nothing to it",
        "embedded was not trained with the word 'sunflowr'; it knows sunflower",
    ]
    caplog.clear()
    eye.encode_text([" ".join(f"{4 * letter}zq" for letter in "abcde")])
    assert caplog.messages[-1] == "embedded was not trained with 2 more words"
    caplog.clear()
    OpenClip(OpenClipConfig(model="judge"), make_context()).encode_text(["zxqwv"])
    assert not caplog.messages
