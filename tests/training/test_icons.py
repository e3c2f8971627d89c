"""Icons as training data: what they are called, which are drawn from, and one-color drawings in colors."""

import json

import numpy as np
import pytest
import torch
from compose import paint
from icon_names import LICENCES, PERMISSIVE, Nouns, drawable, off_the_shelf, plain_name
from icons import check_licences, enclosed, ink_and_body

LICENCE_TEXT = "  1 This is what WordNet's files begin with.\n"


@pytest.fixture
def nouns(tmp_path):
    """A dictionary of six nouns and a verb in WordNet's format."""
    listed = {
        "anvil": 6,
        "house": 6,
        "pear": 13,
        "idea": 9,
        "wind_turbine": 6,
        "fruit": 20,
    }
    index = "".join(f"{word} n 1 0 1 0 {number:08d}\n" for number, word in enumerate(listed))
    data = "".join(
        f"{number:08d} {kind:02d} n 01 {word} 0 000 | a thing\n"
        for number, (word, kind) in enumerate(listed.items())
    )
    for name, text in {
        "index.noun": index,
        "data.noun": data,
        "index.verb": "cracked v\n",
        "index.adj": "",
        "index.adv": "",
    }.items():
        (tmp_path / name).write_text(LICENCE_TEXT + text)
    return Nouns(tmp_path)


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("house-chimney-outline-2", "house chimney"),
        ("wind-turbine-bold-24px", "wind turbine"),
        ("food-drink-pear", "pear"),
        ("anvil", "anvil"),
    ],
)
def test_the_name_of_a_thing_is_read_from_the_key_of_its_icon(key, name):
    assert plain_name(key) == name


@pytest.mark.parametrize(
    ("name", "pictorial", "drawn"),
    [
        ("anvil", False, True),
        ("wind turbine", False, True),
        ("cracked anvil", True, True),
        ("idea", False, False),
        ("house search", False, False),
        ("house star", False, False),
        ("square house", False, False),
        ("xqzt house", True, False),
        ("vine", True, False),
    ],
)
def test_only_things_that_can_be_seen_are_drawn(nouns, name, pictorial, drawn):
    assert drawable(name, nouns, pictorial) is drawn


def test_a_fruit_is_called_by_its_own_name_and_not_by_the_shelf_it_lies_on(nouns):
    assert off_the_shelf("fruit pear", nouns) == "pear"
    assert off_the_shelf("fruit idea", nouns) == "fruit idea"
    assert off_the_shelf("wind turbine", nouns) == "wind turbine"


def test_every_set_has_a_permissive_licence():
    assert set(LICENCES.values()) <= PERMISSIVE


def test_a_set_that_changed_its_licence_is_refused(tmp_path):
    for each, licence in LICENCES.items():
        folder = tmp_path / "@iconify-json" / each
        folder.mkdir(parents=True)
        (folder / "info.json").write_text(json.dumps({"license": {"spdx": licence}}))
    check_licences(tmp_path)
    (folder / "info.json").write_text(json.dumps({"license": {"spdx": "CC-BY-SA-4.0"}}))
    with pytest.raises(SystemExit, match=f"{each}: its licence is CC-BY-SA-4.0"):
        check_licences(tmp_path)


def ring():
    """A square outline of 5 x 5 pixels with a gap-free border, on 9 x 9."""
    alpha = np.zeros((9, 9), np.uint8)
    alpha[2:7, 2:7] = 255
    alpha[3:6, 3:6] = 0
    return alpha


def test_what_lines_enclose_can_be_filled():
    inside = np.zeros((9, 9), np.uint8)
    inside[3:6, 3:6] = 255
    np.testing.assert_array_equal(enclosed(ring()), inside)
    gap = ring()
    gap[2, 4] = 0
    assert not enclosed(gap).any()


def test_a_one_color_drawing_gets_ink_and_filling():
    picture = np.zeros((9, 9, 4), np.uint8)
    picture[..., 3] = ring()
    drawn = torch.from_numpy(ink_and_body(picture)).permute(2, 0, 1)[None].float() / 255
    red, blue = torch.tensor([[1.0, 0, 0]]), torch.tensor([[0, 0, 1.0]])
    filled = paint(drawn, red, blue, torch.tensor([True]))[0]
    left_open = paint(drawn, red, blue, torch.tensor([False]))[0]
    assert filled[:, 2, 2].tolist() == [1, 0, 0, 1] == left_open[:, 2, 2].tolist()
    assert filled[:, 4, 4].tolist() == [0, 0, 1, 1]
    assert left_open[:, 4, 4].tolist() == [0, 0, 0, 0]
    assert filled[:, 0, 0].tolist() == [0, 0, 0, 0]
