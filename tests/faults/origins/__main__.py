"""The table in Markdown: python -m tests.faults.origins"""

from . import FAULTS, GOOD

TEST = "tests/faults/test_origins.py::test_origin"


def outcome(value):
    return f"`{value}`" if isinstance(value, str) else "the right answer" if value == GOOD \
        else f"the body `{value[:8].decode()}`"


for f in FAULTS:
    stage = f.act.__module__.rsplit(".", 1)[1]
    timeout = f.keys.get("timeout")
    limit = f"its timeout ({timeout})" if timeout else f"{f.within:g} s"
    print(f"| {stage}: {f.name} | {', '.join(map(outcome, f.outcomes))}; within {limit} "
          f"| {TEST}[{stage}: {f.name}] |")
