"""Scenes as rows of a training batch."""

import pytest
from compose import ALONE, BACKGROUNDS, COLORS, NO_COLOR
from mixed import row
from telling import Scene, Thing

RED = list(COLORS).index("red")


@pytest.mark.parametrize(
    ("scene", "found"),
    [
        (
            Scene((Thing(7, 3, RED),), "table"),
            (7, ALONE, False, False, BACKGROUNDS.index("table"), RED, 3),
        ),
        (
            Scene((Thing(7, place="right"), Thing(8, 2, RED, place="left"))),
            (8, 7, False, True, NO_COLOR, NO_COLOR, 2),
        ),
        (
            Scene((Thing(7, place="below"), Thing(8, place="above")), "sea"),
            (8, 7, True, True, BACKGROUNDS.index("sea"), NO_COLOR, 1),
        ),
        (
            Scene((Thing(7, place="middle"), Thing(8, 2, place="sides"))),
            (7, 8, False, False, NO_COLOR, NO_COLOR, 1),
        ),
    ],
)
def test_a_batch_says_what_is_where_in_a_scene(scene, found):
    assert row(scene) == found
