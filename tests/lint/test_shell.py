"""Shell scripts: what shellcheck does not see."""

import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = [name for name in subprocess.check_output(
    ["git", "grep", "-lE", "^#!/bin/(ba)?sh"], cwd=ROOT, text=True).split()
    if not name.endswith((".md", ".py"))]


@pytest.mark.parametrize("name", SCRIPTS)
def test_each_function_has_one_definition(name):
    """A second one would take the place of the first, without a word."""
    defined = re.findall(r"^(\w+)\(\)", (ROOT / name).read_text(), re.M)
    assert [f for f, times in Counter(defined).items() if times > 1] == []


def test_each_step_of_deps_is_defined():
    """All is installed where this is tested mostly, so nothing there runs the rest."""
    text = (ROOT / "tools/deps.sh").read_text()
    defined = set(re.findall(r"^(\w+)\(\)", text, re.M))
    steps = "lists|packages|root|services|install|offered"
    called = set(re.findall(rf"^\s*(?:if |then )?(\w+_(?:{steps}))\b", text, re.M))
    assert called and called <= defined, called - defined
