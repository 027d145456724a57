"""usage: python -m tools.checks [NAME...]    without a name: all checks, each under its name"""

import sys
from pathlib import Path

from . import (
    circles,
    comments,
    folders,
    libraries,
    modules,
    names,
    predicates,
    prototypes,
    size,
    tests,
)
from .tree import Tree

CHECKS = {
    "folders": folders.check,
    "libraries": libraries.check,
    "circles": circles.check,
    "modules": modules.check,
    "names": names.check,
    "predicates": predicates.check,
    "prototypes": prototypes.check,
    "comments": comments.check,
    "size": size.check,
    "tests": tests.check,
}


def main(chosen: list[str]) -> int:
    """Print what the chosen checks find. 0: nothing; 1: something; 2: no such check."""
    unknown = [name for name in chosen if name not in CHECKS]
    if unknown:
        print(f"no such check: {', '.join(unknown)}; there are {', '.join(CHECKS)}")
        return 2
    tree = Tree.read(Path.cwd())
    failed = False
    for name in chosen or CHECKS:
        findings = list(CHECKS[name](tree))
        if findings and len(chosen) != 1:
            print(f"{name}: {len(findings)} findings")
        for finding in findings:
            print(finding)
        failed = failed or bool(findings)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
