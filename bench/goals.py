"""What the project wants to reach, and whether a run has.

A goal is a bound on the median of a figure, or on that of its ratio.
"""

from dataclasses import dataclass
from operator import ge, le


@dataclass(frozen=True)
class Goal:
    key: str
    bound: float
    of: str = "ratio"  # or "median"
    holds = staticmethod(le)
    sign = "≤"

    def met(self, figure):
        got = figure["median"] if self.of == "median" else figure["ratio"]["median"]
        return self.holds(got, self.bound)

    def words(self, figure):
        unit = f" {figure['unit']}" if self.of == "median" else "×"
        return f"{self.sign} {self.bound:.4g}{unit}"


@dataclass(frozen=True)
class AtLeast(Goal):
    holds = staticmethod(ge)
    sign = "≥"


def _django_goals():
    """One fetch is no dearer than the cheapest peer's, and twenty cost a third of it."""
    for server in ("uvicorn", "uvicorn[standard]"):
        yield Goal(f"django/{server}/one/curlew", 1)
        yield Goal(f"django/{server}/twenty/curlew", round(1 / 3, 3))


GOALS = [
    Goal("per_fetch/http-64-1000/fetch", 1.8),
    Goal("per_fetch/http-64-1000/frames", 1.6),
    Goal("per_fetch/http-64-1000/stream", 1.6),
    Goal("per_fetch/http-100-1000/batch", 1.5),
    Goal("per_fetch/tls-64-1000/fetch", 1.5),
    Goal("per_fetch/tls-64-1000/frames", 1.5),
    Goal("per_fetch/h2-64-1000/fetch", 1.5),
    Goal("per_fetch/h2-64-1000/frames", 1.5),
    # "No worse": within what two runs of the same thing differ by.
    Goal("per_fetch/256-over-64/fetch", 1.03),
    Goal("per_fetch/256-over-64/frames", 1.03),
    # At half of what the machine can do; in a closed loop two cores are full, and latency is
    # another word for CPU time.
    Goal("latency/2000/POST fetch/p50-added", 100, "median"),
    Goal("latency/2000/frames/p50-added", 100, "median"),
    Goal("latency/2000/stream/p50-added", 100, "median"),
    AtLeast("proxy/http-4-10000000/buffered/stream", 0.9),
    AtLeast("proxy/http-4-10000000/unbuffered/stream", 0.9),
    *_django_goals(),
    Goal("impersonate/fetch/target", 1.3),
    Goal("impersonate/new/curlewd", 1.1),
    Goal("parked/9000", 200, "median"),
]
BY_KEY = {goal.key: goal for goal in GOALS}


def verdict(figure):
    """("≤ 1.6×", met or not), or None where nothing is wanted of it."""
    goal = BY_KEY.get(figure["key"])
    return goal and (goal.words(figure), goal.met(figure))
