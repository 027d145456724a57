"""The test suites of other HTTP clients, with Curlew as their transport.

    python -m python.tests.suites.run_suites [--native] NAME… [-- PYTEST ARGUMENTS]

A suite is a folder beside this file:

    packages.txt     the client, pinned, in the first line; then what its suite needs
    NAME_plugin.py   a pytest plugin that makes the client use Curlew
    deselected.txt   tests that are left out, and why
    options.txt      further arguments for pytest, also natively
    tests.txt        if it is there: the files of tests, in place of the folder "tests"

Each suite has an environment of its own in build/suites/NAME, made once: the client's source
distribution, which pip downloads, and a venv. --native runs the same without Curlew, to compare:
what passes there should pass with it.
"""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from tests.support.curlewd import ROOT, Curlewd

HERE = Path(__file__).parent
BUILD = ROOT / "build" / "suites"
NAMES = sorted(path.parent.name for path in HERE.glob("*/packages.txt"))
# proxy_resolves: suites send names to proxies that they start themselves.
CONFIG = {"sessions": {"default": {"proxy_resolves": True}}}


def entries(path):
    """The lines of a file without comments, which begin with a # and a space; none without it."""
    if not path.exists():
        return []
    lines = (line.split("# ")[0].strip() for line in path.read_text().splitlines())
    return [line for line in lines if line]


class Suite:
    def __init__(self, name):
        self.name = name
        self.folder = HERE / name
        self.build = BUILD / name
        self.python = self.build / "venv" / "bin" / "python"
        self.packages = entries(self.folder / "packages.txt")

    @property
    def source(self):
        """The unpacked distribution."""
        return next(path for path in (self.build / "source").iterdir() if path.is_dir())

    def prepare(self):
        stamp = self.build / "stamp"
        wanted = hashlib.sha256("\n".join([sys.version, *self.packages]).encode()).hexdigest()
        if stamp.exists() and stamp.read_text() == wanted:
            return
        shutil.rmtree(self.build, ignore_errors=True)
        venv.create(self.python.parents[1], with_pip=True)
        self.pip("install", *self.packages)
        name = re.match(r"[\w.-]+", self.packages[0])[0]  # not ":all:", which builds its tools, too
        self.pip("download", "--no-deps", "--no-binary", name, "--dest", self.build,
                 self.packages[0], env=self.sdist_env())
        shutil.unpack_archive(next(self.build.glob("*.tar.gz")), self.build / "source")
        stamp.write_text(wanted)

    def tests(self):
        path = self.folder / "tests.txt"
        return entries(path) if path.exists() else ["tests"]

    def sdist_env(self):
        """curl_cffi's build downloads its libcurl, even for pip to read metadata, unless it is
        there; an empty one will do."""
        (self.build / "libcurl-impersonate.a").touch()
        return {**os.environ, "IMPERSONATE_BUILD_DIR": str(self.build)}

    def pip(self, *arguments, env=None):
        command = [self.python, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
        subprocess.run(command, check=True, env=env)

    def run(self, arguments, daemon=None):
        """The exit code of pytest, natively if there is no daemon."""
        options = ["-q", "-p", "no:cacheprovider", "--timeout=60", "--tb=short", "-n4",
                   "--disable-warnings"]
        options += entries(self.folder / "options.txt")
        env = {n: v for n, v in os.environ.items() if not n.startswith(("CURLEW", "PYTHON"))}
        env["PYTHONPATH"] = str(self.folder)
        if daemon is not None:
            options += ["-p", f"{self.name}_plugin"]
            options += [f"--deselect={each}" for each in entries(self.folder / "deselected.txt")]
            env["CURLEW_URL"] = f"fcgi+unix:{daemon.socket}"
            env["PYTHONPATH"] = f"{ROOT / 'python' / 'src'}:{self.folder}"
        command = [self.python, "-m", "pytest", *options, *(arguments or self.tests())]
        return subprocess.run(command, cwd=self.source, env=env).returncode


def run(name, native, arguments):
    suite = Suite(name)
    suite.prepare()
    print(f"== {suite.packages[0]}{', natively' if native else ''}", flush=True)
    if native:
        return suite.run(arguments)
    daemon = Curlewd(CONFIG)
    try:
        return suite.run(arguments, daemon)
    finally:
        daemon.stop()
        shutil.rmtree(daemon.directory, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--native", action="store_true", help="without Curlew")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    words = sys.argv[1:]
    end = words.index("--") if "--" in words else len(words)
    options = parser.parse_args(words[:end])
    sys.exit(max(run(name, options.native, words[end + 1:]) for name in options.names or NAMES))


if __name__ == "__main__":
    main()
