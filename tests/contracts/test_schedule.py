import math
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from pixforge.contracts import Range, Schedule
from pixforge.contracts.moment import Moment


def test_a_number_stays_what_it_is():
    schedule = Schedule(0.3)
    assert [schedule.value(Moment(step, 10)) for step in (0, 5, 9)] == [0.3, 0.3, 0.3]
    assert schedule.constant == 0.3


@pytest.mark.parametrize(
    ("written", "values"),
    [
        ({0: 1, 4: 3}, [1, 1.5, 2, 2.5, 3]),
        ({0: 1, 4: 3, "ease": "step"}, [1, 1, 1, 1, 3]),
        ({0: 1, 4: 3, "ease": "cosine"}, [1, 2 - math.sqrt(0.5), 2, 2 + math.sqrt(0.5), 3]),
        ({1: 10, 3: 20}, [10, 10, 15, 20, 20]),
        ({"50%": 0, "100%": 1}, [0, 0, 0, 0.5, 1]),
        ({"0%": 0, "100%": 4}, [0, 1, 2, 3, 4]),
        ({"75%": 4, 0: 1}, [1, 2, 3, 4, 4]),
        ({2: 5}, [5, 5, 5, 5, 5]),
        ({0: 0, 2: 1, "ease": "step", "100%": 2}, [0, 0, 1, 1, 2]),
        ({0: 0, 8: 8}, [0, 1, 2, 3, 4]),
    ],
)
def test_keyframes_in_a_run_of_five_steps(written, values):
    schedule = Schedule(written)
    assert [schedule.value(Moment(step, 5)) for step in range(5)] == pytest.approx(values)


@pytest.mark.parametrize(
    "key", ["33.333333%", "0.00001%", "99.999999999%", ".33333333333%", "12.5%", "100%", "0%", "10%"]
)
def test_a_percentage_is_written_with_all_its_digits(key):
    plain = Schedule({key: 1, "50%": 2}).plain()
    assert list(plain) == [key, "50%"]
    assert Schedule(plain) == Schedule({key: 1, "50%": 2})


def test_moments_that_are_close_are_two():
    assert len(Schedule({1234567: 1, 1234568: 2}).keyframes) == 2
    assert len(Schedule({"33.333333%": 1, "33.333334%": 2}).keyframes) == 2


def test_a_moment_that_two_keyframes_share_has_the_later_value():
    assert Schedule({"50%": 1, 2: 7}).value(Moment(2, 5)) == 7


@pytest.mark.parametrize("steps", [0, 1])
def test_runs_without_a_length(steps):
    assert math.isfinite(Schedule({"0%": 1, "100%": 2}).value(Moment(0, steps)))


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("fast", "expected a number, or keyframes such as {0: 1.0, 50%: 0.3, ease: cosine}, not 'fast'"),
        (True, "expected a number, or keyframes"),
        ([1, 2], "expected a number, or keyframes"),
        (math.nan, "expected a finite number"),
        (math.inf, "expected a finite number"),
        (10**400, "expected a finite number"),
        (1e308, "1e+308 is too large; numbers end at 1e+30"),
        ({0: 1, 9: -1e31}, "-1e+31 is too large"),
        (1e-320, "is too close to 0; write 0, or at least 1e-30"),
        ({}, "needs at least one keyframe"),
        ({"ease": "linear"}, "needs at least one keyframe"),
        ({0: 1, "ease": "bounce"}, "ease is one of linear, step, cosine, not 'bounce'"),
        ({"half": 1}, "'half' is not a step"),
        ({-1: 1}, "-1 is not a step"),
        ({1.5: 1}, "1.5 is not a step"),
        ({True: 1}, "True is not a step"),
        ({"120%": 1}, "120% is beyond the end of the run"),
        ({0: "a"}, "expected a number"),
        ({0: 1, "0": 2}, "two keyframes at the same moment"),
        ({"50%": 1, "50.0%": 2}, "two keyframes at the same moment"),
        ({"1e9%": 1}, "is not a step"),
    ],
)
def test_what_is_no_schedule(written, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is compared below
        Schedule(written)
    assert message in str(caught.value)


MOMENTS = st.integers(0, 10**6) | st.integers(0, 100).map(lambda share: f"{share}%")
NUMBERS = st.just(0.0) | st.floats(1e-6, 1e6) | st.floats(-1e6, -1e-6)


@given(
    st.dictionaries(MOMENTS, NUMBERS, min_size=1, max_size=5), st.sampled_from(["linear", "step", "cosine"])
)
def test_it_never_leaves_its_keyframes_and_reads_what_it_writes(frames, ease):
    schedule = Schedule({**frames, "ease": ease})
    low, high = min(schedule.values), max(schedule.values)
    margin = 1e-9 * max(abs(low), abs(high))
    for step in (0, 1, 7, 99):
        assert low - margin <= schedule.value(Moment(step, 100)) <= high + margin
    again = Schedule(schedule.plain())
    assert [again.value(Moment(step, 100)) for step in range(100)] == [
        schedule.value(Moment(step, 100)) for step in range(100)
    ]


def test_bounds_hold_for_every_keyframe():
    bounded = TypeAdapter(Annotated[Schedule, Range(ge=0, le=1)])
    assert bounded.validate_python({0: 0, 5: 1}).values == (0, 1)
    for written, message in (({0: 1, 5: -0.5}, "-0.5 must be at least 0"), (2, "2 must be at most 1")):
        with pytest.raises(ValidationError) as caught:
            bounded.validate_python(written)
        assert message in str(caught.value)


def test_open_bounds():
    with pytest.raises(ValidationError, match="0 must be greater than 0"):
        TypeAdapter(Annotated[Schedule, Range(gt=0)]).validate_python(0)
