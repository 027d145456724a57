"""Figures, and what is said of them: ratios, goals, the table."""

import pytest

from bench.figures import figure, ratio_of_ratios
from bench.goals import AtLeast, Goal
from bench.report import row


def test_ratios_are_those_of_the_same_round():
    f = figure("k", "w", "µs", [20, 60, 30], "bare loop", [10, 60, 10])
    assert f["median"] == 30
    assert f["ratios"] == [2, 1, 3]
    assert f["ratio"]["median"] == 2  # and not 30 / 10


def test_a_ratio_of_ratios_pairs_rounds_too():
    upper = figure("u", "w", "µs", [6, 8], "b", [2, 2])
    lower = figure("l", "w", "µs", [2, 8], "b", [2, 2])
    assert ratio_of_ratios("k", "w", upper, lower, "that")["ratios"] == [3, 1]


def test_small_differences_are_compared_with_the_median_of_the_others():
    f = figure("k", "w", "µs", [20, 60, 30], "aiohttp", [10, -60, 20], paired=False)
    assert f["ratios"] == [2, 6, 3]


@pytest.mark.parametrize("paired", [True, False])
def test_beside_nothing_no_goal_is_met(paired):
    f = figure("k", "w", "µs", [20, 30], "aiohttp", [-1, -2], paired=paired)
    assert not Goal("k", 1).met(f)
    assert "| aiohttp | – |" in row(f)


def test_one_round_has_quartiles_of_its_own_value():
    f = figure("k", "w", "µs", [7])
    assert (f["low"], f["median"], f["high"]) == (7, 7, 7)


@pytest.mark.parametrize("goal, met, missed", [
    (Goal("k", 1.6), 1.6, 1.61), (AtLeast("k", 0.9), 0.9, 0.89)])
def test_a_goal_is_met_at_its_bound_and_missed_beyond_it(goal, met, missed):
    for value, expected in ((met, True), (missed, False)):
        assert goal.met(figure("k", "w", "µs", [value * 10], "b", [10])) is expected


def test_a_goal_may_be_for_the_figure_itself():
    goal = Goal("k", 200, "median")
    assert goal.met(figure("k", "w", "MB", [200])) and not goal.met(figure("k", "w", "MB", [201]))
    assert goal.words({"unit": "MB"}) == "≤ 200 MB"


def test_the_table_says_beside_a_figure_whether_its_goal_is_met():
    key = "per_fetch/http-64-1000/frames"
    assert row(figure(key, "frames", "µs", [15], "bare loop", [10])).endswith("| ≤ 1.6× | met |")
    assert row(figure(key, "frames", "µs", [17], "bare loop", [10])).endswith("**not met** |")
    assert row(figure("other", "frames", "µs", [17], "bare loop", [10])).endswith("|  |  |")
