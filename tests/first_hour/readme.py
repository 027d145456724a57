"""The commands that README.md shows, as they are typed."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^<!-- first-hour: (.*?) -->\n```sh\n(.*?)^```", re.M | re.S)


def commands(name="README.md"):
    """What stands in the comment before a block → its commands."""
    return dict(BLOCK.findall((ROOT / name).read_text()))
