"""docs/scaling.md counts with measured figures, and the command that measures them runs."""

import json

from bench import scaling


def test_the_page_has_the_table_of_the_committed_figures():
    text = scaling.table(json.loads(scaling.RESULTS.read_text()),
                         json.loads(scaling.BALANCERS_FILE.read_text()))
    assert scaling.BLOCK.search(scaling.PAGE.read_text())[0] == (
        f"<!-- figures: scaling -->\n{text}\n<!-- end -->"), "make bench-scaling, or by --publish"


def test_the_cost_of_each_balancer_is_measured():
    found = scaling.measure(1, rounds=1)["cpu_us"]
    assert found.keys() == {"haproxy", "nginx"}
    for (us,) in found.values():
        assert 1 < us < 10_000


def test_a_fetch_that_waits_is_counted_by_the_run_with_most_of_them():
    of = {"parked/0": 10.0, "parked/1": 11.0, "parked/1000": 30.0}
    assert scaling.parked_kb(of) == (20.0, 1000)
