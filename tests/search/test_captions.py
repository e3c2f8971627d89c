"""What stands below the pictures of a contact sheet."""

import pytest
from PIL import Image

from pixforge.media.metadata import png_info
from pixforge.search.captions import distinctions, name_of

RECIPE = "prompts: [{{text: a heart}}]\nseed: {seed}\nsteps: 60\nlosses:\n- {{type: {loss}, weight: 1.0}}\nfiles: {{x: '{seed}'}}\n"


@pytest.fixture
def runs(tmp_path):
    def make(name, recipe):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "run.json").write_text("{}")
        Image.new("RGB", (8, 8)).save(folder / "image.png", pnginfo=png_info(recipe))
        return folder / "image.png"

    return make


def test_the_run_is_named_and_what_it_has_alone(runs, tmp_path):
    first = runs("a-heart-1", RECIPE.format(seed=1, loss="smoothness"))
    second = runs("a-heart-2", RECIPE.format(seed=2, loss="smoothness"))
    photo = tmp_path / "photo.png"
    Image.new("RGB", (8, 8)).save(photo)
    assert [name_of(each) for each in (first, photo)] == ["a-heart-1/image.png", "photo.png"]
    assert distinctions([first, photo, second]) == ["seed 1", "", "seed 2"]


def test_components_of_different_types_differ_as_a_whole(runs):
    one = runs("one", RECIPE.format(seed=1, loss="smoothness"))
    other = runs("other", RECIPE.format(seed=1, loss="symmetry") + "filters: [{type: roll}]\n")
    assert distinctions([one, other]) == [
        "losses[0] smoothness, filters (none)",
        "losses[0] symmetry, filters [{'type': 'roll'}]",
    ]


def test_pictures_of_one_recipe_need_no_more_words(runs):
    same = RECIPE.format(seed=1, loss="smoothness")
    assert distinctions([runs("one", same), runs("other", same)]) == ["", ""]
    assert distinctions([]) == []
    assert distinctions([runs("broken", "prompts: [")]) == [""]
