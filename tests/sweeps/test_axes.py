"""Which combinations of settings a sweep runs."""

import itertools
from collections import Counter

import pytest

from pixforge.errors import RecipeError
from pixforge.sweeps.axes import Axis, check_axes, combinations
from pixforge.sweeps.values import parse_values, split_values


def axes(*sizes):
    return [
        Axis((f"path{number}",), tuple((value,) for value in range(size)), f"axis {number}")
        for number, size in enumerate(sizes)
    ]


def test_all_combinations_in_the_order_of_a_product():
    found = combinations(axes(2, 3), None, latin=False, seed=0)
    assert found == list(itertools.product(range(2), range(3)))


def test_a_sample_is_a_part_without_repetitions_and_the_same_each_time():
    whole = set(itertools.product(range(4), range(5), range(6)))
    found = combinations(axes(4, 5, 6), 30, latin=False, seed=1)
    assert len(set(found)) == 30
    assert set(found) <= whole
    assert found == combinations(axes(4, 5, 6), 30, latin=False, seed=1)
    assert found != combinations(axes(4, 5, 6), 30, latin=False, seed=2)


def test_a_sample_of_a_product_too_large_to_be_listed():
    assert len(set(combinations(axes(*[100] * 9), 50, latin=False, seed=0))) == 50


@pytest.mark.parametrize("sizes", [(4, 4), (2, 3, 4), (5, 2), (6, 4, 2), (1, 7)])
@pytest.mark.parametrize("count", [1, 5, 7, 11])
def test_in_a_latin_sample_every_value_comes_equally_often_within_one(sizes, count):
    found = combinations(axes(*sizes), count, latin=True, seed=3)
    assert len(set(found)) == len(found)
    for axis, size in enumerate(sizes):
        counts = Counter(place[axis] for place in found)
        every = [counts.get(value, 0) for value in range(size)]
        assert max(every) - min(every) <= 1


def test_a_latin_square():
    """Of 4 x 4 x 4, sixteen with every pair of rows and columns once is not promised; four are a permutation each."""
    found = combinations(axes(4, 4, 4), 4, latin=True, seed=5)
    assert all(sorted(place[axis] for place in found) == [0, 1, 2, 3] for axis in range(3))


def test_a_latin_sample_of_many_prime_axes_is_quick():
    assert len(combinations(axes(97, 89, 83, 79), 200, latin=True, seed=0)) == 200


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            [Axis(("steps",), (), "--set steps")],
            "--set steps: has no values, so that there is nothing to run",
        ),
        ([Axis(("steps",), ((1,), (1,)), "--set steps")], "--set steps: 1 stands twice in it"),
        ([*axes(2), Axis(("path0",), ((1,),), "--zip")], "--zip: path0 is set by axis 0 already"),
    ],
)
def test_what_cannot_be_combined(given, message):
    with pytest.raises(RecipeError, match=message):
        check_axes(given)


def test_too_many_runs():
    with pytest.raises(
        RecipeError, match="has 20,000 runs, and may have 10,000; --sample 100 runs 100 of them"
    ):
        combinations(axes(200, 100), None, latin=False, seed=0)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("0.1,0.3,1", [0.1, 0.3, 1]),
        ("pixels", ["pixels"]),
        ("[64, 64],[96,64]", [[64, 64], [96, 64]]),
        ("{type: pixels, levels: 2},fourier", [{"type": "pixels", "levels": 2}, "fourier"]),
        ('"a, b",c', ["a, b", "c"]),
        ("it's,that's", ["it's", "that's"]),
        ("true,null", [True, None]),
        ("0..1:5", [0, 0.25, 0.5, 0.75, 1]),
        ("16..64:4,100", [16, 32, 48, 64, 100]),
        ("0.01..1:3:log", [0.01, 0.1, 1]),
        ("1..-1:3", [1, 0, -1]),
    ],
)
def test_values(text, values):
    assert parse_values(text, "--set x") == values


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a value is empty"),
        ("1,,2", "a value is empty"),
        ("0..1:1", "a range has two ends and at least 2 numbers"),
        ("0..1:3:log", "a range by factors has positive ends"),
        ("[1", "--set x"),
    ],
)
def test_values_that_are_none(text, message):
    with pytest.raises(RecipeError, match=message):
        parse_values(text, "--set x")


def test_commas_inside_something_are_part_of_it():
    assert split_values("a,(b,c),[d,{e,f}],'g,h'") == ["a", "(b,c)", "[d,{e,f}]", "'g,h'"]
