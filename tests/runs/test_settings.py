"""Text to values, by the annotation of what is set."""

from typing import Literal

import pytest

from scoutrl.errors import ScoutError
from scoutrl.runs.settings import assignments, counted, fit, options_of


@pytest.mark.parametrize(
    ("given", "annotation", "value"),
    [
        ("3", int, 3),
        ("3_000", int, 3000),
        ("4e5", int, 400_000),
        (3.0, int, 3),
        ("-2", int, -2),
        ("1e-3", float, 0.001),
        (1, float, 1.0),
        ("true", bool, True),
        ("No", bool, False),
        ("a b", str, "a b"),
        ("none", int | None, None),
        ("5", int | None, 5),
        (None, float | None, None),
        ("none", str | None, None),
        ("hinge", Literal["linear", "hinge"], "hinge"),
        ("2", Literal[1, 2], 2),
        ("64,32", tuple[int, ...], [64, 32]),
        ("(64,)", tuple[int, ...], [64]),
        ((64, 32), tuple[int, ...], [64, 32]),
    ],
)
def test_values_are_read(given, annotation, value):
    read = fit("x", given, annotation)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("given", "annotation", "expected"),
    [
        ("1.5", int, "a whole number"),
        (True, int, "a whole number"),
        ("inf", int, "a whole number"),
        ("", int, "a whole number"),
        ("abc", float, "a number"),
        ("nan", float, "a number"),
        (False, float, "a number"),
        ("maybe", bool, "true or false"),
        (1, bool, "true or false"),
        (3, str, "a text"),
        ("huge", Literal["linear", "hinge"], "one of linear, hinge"),
        ("x", int | None, "a whole number, or none"),
        ("1,x", tuple[int, ...], "several of a whole number"),
    ],
)
def test_wrong_values_say_what_is_expected_with_an_example(given, annotation, expected):
    with pytest.raises(ScoutError, match=f"^x takes {expected}.*for example --set x=.*is not that"):
        fit("x", given, annotation)


def test_of_a_name_said_twice_the_last_counts():
    assert assignments(["a=1", "b=x=y", "a = 2"]) == {"a": "2", "b": "x=y"}


@pytest.mark.parametrize("text", ["a", "=1", " =1", ""])
def test_assignments_need_a_name_and_a_value(text):
    with pytest.raises(ScoutError, match="name=value"):
        assignments([text])


def test_options_without_annotation_take_the_type_of_their_default():
    def made(a, b=3, *, c: float = 1, d=None): ...

    assert options_of(made)["b"] is int
    assert options_of(made)["c"] is float
    assert list(options_of(made)) == ["a", "b", "c", "d"]


def test_counts_have_limits():
    assert counted("steps", "4e5") == 400_000
    with pytest.raises(ScoutError, match="steps must be 1 or more; it is 0"):
        counted("steps", 0)
    with pytest.raises(ScoutError, match="up to 9"):
        counted("seed", 10, 0, 9)
    with pytest.raises(ScoutError, match="whole number"):
        counted("steps", "many")
