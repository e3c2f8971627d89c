"""Scenes show what is told of them: so many things, in these places, colors and sizes, on that ground."""

from random import Random

import grounds
import pytest
import scenes
import telling
import torch
from compose import COLORS, NO_COLOR, Art, Composer, Words
from telling import Scene, Thing

CPU = torch.device("cpu")
LIST = list(COLORS)
WORDS = [
    Words("red apple", ("apple",), (), "food-drink", "food-fruit"),
    Words("cat face", ("cat",), (), "animals-nature", "animal-mammal"),
    Words("house", (), (), "travel-places", "place-building"),
    Words("full moon", (), (), "travel-places", "sky-weather"),
    Words("grinning face", (), (), "smileys-emotion", "face-smiling"),
]
APPLE, CAT, HOUSE, MOON = range(4)
# Each is drawn in one pure color, by which the test finds it again.
PAINT = torch.tensor([(1.0, 0, 0), (0, 1.0, 0), (0, 0, 1.0), (1.0, 1.0, 0), (0, 1.0, 1.0)])


class Clean(Composer):
    """White grounds, and colors as they are drawn."""

    def background(self, n):
        return torch.ones(n, 3, self.size, self.size), torch.zeros(n)

    def recolor(self, picture, alpha):
        return picture


@pytest.fixture(scope="module")
def art():
    """Disks that fill two thirds of their pictures."""
    axis = torch.arange(48) - 23.5
    disk = (16.5 - (axis[:, None].square() + axis.square()).sqrt()).clamp(0, 1)
    colors = torch.cat((PAINT, torch.ones(5, 1)), 1)[..., None, None]
    inked = torch.zeros(5, dtype=torch.bool)
    return Art((colors * disk * 255).round().byte(), torch.arange(5), torch.zeros(5).long(), WORDS, inked)


@pytest.fixture(scope="module")
def composer(art):
    return scenes.SceneComposer(Clean(art, 64, CPU), art)


def seen(picture, label):
    """Where (s, s) a class is in a picture (3, s, s) of uint8."""
    away = (picture.float() / 255 - PAINT[label][:, None, None]).abs().amax(0)
    return away < 0.25


def pieces(mask):
    """How many separate areas there are, and the middles (x, y) of all."""
    todo, middles = {tuple(each) for each in mask.nonzero().tolist()}, []
    while todo:
        area = [todo.pop()]
        for y, x in area:
            near = {(y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)} & todo
            todo -= near
            area += near
        middles.append((sum(x for _, x in area) / len(area), sum(y for y, _ in area) / len(area)))
    return sorted(middles)


def drawn(composer, scene, seed):
    torch.manual_seed(seed)
    return composer.draw([scene], Random(seed)).pictures[0]


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_so_many_are_drawn(composer, count):
    for seed in range(5):
        assert len(pieces(seen(drawn(composer, Scene((Thing(APPLE, count),)), seed), APPLE))) == count


def test_left_right_and_sizes(composer):
    scene = Scene((Thing(APPLE, 2, place="left", size="small"), Thing(CAT, place="right", size="big")))
    for seed in range(5):
        picture = drawn(composer, scene, seed)
        apples, cats = pieces(seen(picture, APPLE)), pieces(seen(picture, CAT))
        assert len(apples) == 2
        assert max(apples)[0] < min(cats)[0]
        assert seen(picture, CAT).sum() > 2 * seen(picture, APPLE).sum() / 2


def test_between_and_above(composer):
    scene = Scene((Thing(HOUSE, place="middle"), Thing(CAT, 2, place="sides"), Thing(MOON, place="above")))
    for seed in range(5):
        picture = drawn(composer, scene, seed)
        cats, (house,) = pieces(seen(picture, CAT)), pieces(seen(picture, HOUSE))
        assert cats[0][0] < house[0] < cats[1][0]
        ((_, height),) = pieces(seen(picture, MOON))
        assert height < min(house[1], *[y for _, y in cats]) - 10


def test_a_thing_is_drawn_in_the_color_that_it_was_given(composer):
    # The cat is green in the art.
    picture = drawn(composer, Scene((Thing(CAT, color=LIST.index("red")),)), 0)
    red = torch.tensor(COLORS["red"])[:, None, None]
    assert ((picture.float() - red).abs().amax(0) < 40).sum() > 100
    assert not seen(picture, CAT).any()


def test_a_thing_in_the_color_of_a_plain_ground_can_be_seen(composer):
    # Grounds are white here, and color 0 is white.
    picture = drawn(composer, Scene((Thing(CAT, color=LIST.index("white")),)), 0)
    assert picture[:, :3, :3].float().mean() < 100
    assert (picture.amin(0) > 200).sum() > 100


def test_what_stands_on_a_ground_casts_a_shadow_below_it(composer, monkeypatch):
    monkeypatch.setitem(scenes.GROUNDS, "snow", lambda n, size, _: torch.ones(n, 3, size, size))
    on_snow = drawn(composer, Scene((Thing(CAT),), "snow"), 1)
    dark = (on_snow.float().amax(0) < 250) & ~(on_snow[1] > on_snow[0] + 20)
    assert dark.sum() > 20
    cat = seen(on_snow, CAT)
    assert dark.nonzero()[:, 0].float().mean() > cat.nonzero()[:, 0].float().mean()
    floating = drawn(composer, Scene((Thing(CAT),)), 1)
    assert (floating[0] == floating[2]).all()  # white and green alone


def test_batches_are_of_fitting_things_and_repeat_with_the_seed(composer):
    torch.manual_seed(3)
    first = composer(40)
    torch.manual_seed(3)
    second = composer(40)
    assert first.pictures.dtype == torch.uint8
    assert first.pictures.shape == (40, 3, 64, 64)
    assert torch.equal(first.pictures, second.pictures)
    assert first.scenes == second.scenes
    used = {thing.label for scene in first.scenes for thing in scene.things}
    assert used == {APPLE, CAT, HOUSE, MOON}
    assert len({scene.ground for scene in first.scenes}) > 5
    assert {thing.label for s in first.scenes for thing in s.things if thing.place == "above"} == {MOON}


@pytest.mark.parametrize("name", grounds.GROUNDS)
def test_a_ground_is_another_at_every_call(name):
    torch.manual_seed(0)
    pictures = grounds.GROUNDS[name](3, 40, CPU)
    assert pictures.shape == (3, 3, 40, 40)
    assert pictures.isfinite().all()
    assert 0 <= pictures.min() <= pictures.max() <= 1
    assert (pictures[0] - pictures[1]).abs().mean() > 0.01
    # The lower end looks otherwise than the upper end, but for the sky.
    if name in grounds.FLOORS:
        assert (pictures[:, :, -4:].mean((2, 3)) - pictures[:, :, 8:12].mean((2, 3))).abs().amax(
            1
        ).min() > 0.03
    assert 2 <= len(grounds.GROUND_CAPTIONS[name]) <= 4
    assert all(text.startswith("{} ") for text in grounds.GROUND_CAPTIONS[name])


def test_a_night_is_dark_and_snow_is_bright():
    torch.manual_seed(0)
    mean = {name: grounds.GROUNDS[name](8, 32, CPU).mean((1, 2, 3)) for name in ("night", "snow", "grass")}
    assert mean["night"].max() < 0.25 < 0.7 < mean["snow"].min()
    green = grounds.GROUNDS["grass"](8, 32, CPU)[:, :, -6:].mean((2, 3))
    assert (green.argmax(1) == 1).all()


def test_art_without_things_for_scenes_is_refused(art):
    faces = art.only(art.labels == 4)
    with pytest.raises(ValueError, match="at least three things"):
        scenes.SceneComposer(Clean(faces, 64, CPU), faces)


def told(scene, tries=60):
    return {telling.tell(scene, WORDS, Random(seed)) for seed in range(tries)}


def test_sentences_are_true():
    three = told(Scene((Thing(APPLE, 3),), "table"))
    assert "three red apples on a table" in three
    assert "three apples" in three  # the ground need not be said
    assert all("three" in text and "apples" in text for text in three)
    beside = told(Scene((Thing(CAT, place="left"), Thing(HOUSE, 2, place="right"))))
    assert {"a cat left of two houses", "two houses right of a cat face", "a cat and two houses"} <= beside
    assert not any("a cat right" in text or "houses left" in text for text in beside)
    between = Scene(
        (Thing(HOUSE, place="middle"), Thing(APPLE, 2, place="sides"), Thing(MOON, place="above"))
    )
    assert {"a house between two apples under a moon", "a moon above a house between two apples"} <= told(
        between, 200
    )
    assert told(Scene((Thing(CAT, color=LIST.index("purple"), size="big"),))) == {
        "a big purple cat",
        "a big purple cat face",
    }


def test_wrong_sentences_say_one_other_thing():
    scene = Scene(
        (Thing(CAT, 2, place="left", color=LIST.index("pink")), Thing(HOUSE, place="right")), "room"
    )
    changes = set()
    for seed in range(200):
        right, wrong = telling.right_and_wrong(scene, WORDS, Random(seed))
        assert right != wrong
        assert len(right.split()) <= 14
        assert not any(text in wrong for text in ("on a table", "on the table"))  # which is in a room as well
        if sorted(right.split()) == sorted(wrong.split()):
            changes.add("exchanged")
        elif "two pink" not in wrong:
            changes.add("color" if "two" in wrong else "count")
        elif not any(telling.GROUND_CAPTIONS["room"][i].format("") in wrong for i in range(3)):
            changes.add("ground")
    assert changes == {"exchanged", "color", "count", "ground"}


def test_what_is_between_two_things_is_exchanged_with_one_of_them():
    scene = Scene((Thing(CAT, place="left"), Thing(HOUSE, place="middle"), Thing(APPLE, place="right")))
    for seed in range(30):
        other = telling.exchanged(scene, Random(seed))
        assert other.places["middle"].label != HOUSE


@pytest.mark.parametrize(
    ("one", "many"),
    [
        ("dog", "dogs"),
        ("cherry pie", "cherry pies"),
        ("butterfly", "butterflies"),
        ("toy", "toys"),
        ("bus", "buses"),
        ("fox", "foxes"),
        ("church", "churches"),
        ("mouse", "mice"),
        ("maple leaf", "maple leaves"),
        ("fish", "fish"),
        ("jellyfish", "jellyfish"),
        ("kitchen knife", "kitchen knives"),
        ("potato", "potatoes"),
        ("wolf", "wolves"),
    ],
)
def test_plurals(one, many):
    assert telling.plural(one) == many


def test_articles_go_by_the_sound():
    nouns = ("owl", "unicorn", "umbrella", "hourglass", "house", "onion", "ewe", "orange cat")
    assert [telling.article(noun).split()[0] for noun in nouns] == [
        "an",
        "a",
        "an",
        "an",
        "a",
        "an",
        "a",
        "an",
    ]


def test_what_cannot_be_counted_stays_out():
    def fits(name, group="objects", subgroup="tool"):
        return scenes.fits(Words(name, (), (), group, subgroup))

    assert fits("hammer")
    assert fits("bus", "travel-places", "transport-ground")
    assert not fits("scissors")
    assert not fits("crossed swords")
    assert not fits("hammer and pick")
    assert not fits("oncoming bus", "travel-places", "transport-ground")
    assert not fits("teacher", "people-body", "person-role")
    assert fits("star", "travel-places", "sky-weather")
    assert not fits("fog", "travel-places", "sky-weather")


def test_colors_are_told_only_of_painted_things(composer):
    random = Random(0)
    invented = [composer.invent(random) for _ in range(300)]
    colors = {thing.label: set() for scene in invented for thing in scene.things}
    for scene in invented:
        for thing in scene.things:
            colors[thing.label].add(thing.color)
    assert colors[APPLE] == {NO_COLOR}  # whose name has one already
    assert len(colors[CAT]) > 5
