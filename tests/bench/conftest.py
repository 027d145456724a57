"""One quick run of all benchmarks, for every test that looks at what it left."""

import json
import os
import shutil
import subprocess
import sys
from types import SimpleNamespace

import pytest

from tests.support.curlewd import ROOT

PAGES = ["docs/performance.md", "README.md", "README.zh-CN.md"]


@pytest.fixture(scope="session")
def baseline():
    return os.environ.get("BASELINE", ROOT / "build/bench/baseline")


@pytest.fixture(scope="session")
def quick(tmp_path_factory):
    """What a quick run printed, its file of results, and the pages as published from it."""
    directory = tmp_path_factory.mktemp("bench")
    file, docs = directory / "bench.json", directory / "docs"
    docs.mkdir()
    for page in PAGES:
        shutil.copy(ROOT / page, directory / page)
    done = subprocess.run([sys.executable, ROOT / "bench/run", "--quick", "--json", file],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    subprocess.run([sys.executable, ROOT / "bench/publish", file, directory], check=True)
    return SimpleNamespace(printed=done.stdout, parts=json.loads(file.read_text()), file=file,
                           directory=directory, docs=docs)
