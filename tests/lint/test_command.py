"""The checks as `make lint` runs them: on the files that git knows, with an exit status."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path):
    """A project without fault: one module, one header that belongs to nobody else."""
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    write(tmp_path, "src/util/log.h", "/* One line. */\nvoid log_line(const char *text);\n")
    write(tmp_path, "src/util/log.c",
          '#include "util/log.h"\n\nvoid\nlog_line(const char *text)\n{\n    (void)text;\n}\n')
    write(tmp_path, "tests/unit/util/test_log.c", "")
    return tmp_path


def write(project, path, text):
    file = project / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def run(project, *names):
    return subprocess.run([sys.executable, "-m", "tools.checks", *names], cwd=project, text=True,
                          env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def test_a_project_without_fault(project):
    done = run(project)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("check, path, text", [
    ("folders", "src/util/a.h", '#include "routes/router.h"\n'),
    ("libraries", "src/util/a.h", "#include <jansson.h>\n"),
    ("circles", "src/util/log.h", '#include "util/a.h"\n'),
    ("modules", "src/util/b.c", ""),
    ("names", "src/util/a.c", "void\nb(void)\n{\n}\n"),
    ("predicates", "src/util/a.c", "static bool\nis_a(struct a *a)\n{\n}\n"),
    ("prototypes", "src/util/a.h", "int a_b(void); /* 0 */\n"),
    ("comments", "src/util/a.h", f"/*\n * {'word ' * 18}\n * two words\n * and more\n */\n"),
    ("size", "src/util/a.h", "\n" * 601),
    ("tests", "tests/unit/util/test_b.c", ""),
])
def test_each_check_is_called(project, check, path, text):
    write(project, "src/util/a.h", '#include "util/log.h"\n')
    write(project, path, text)
    done = run(project, check)
    assert done.returncode == 1
    assert done.stdout.strip()
    everything = run(project)
    assert everything.returncode == 1
    assert f"{check}: " in everything.stdout and done.stdout in everything.stdout


def test_lint_runs_every_check():
    from tools.checks.__main__ import CHECKS

    lines = (ROOT / "tools/lint").read_text().splitlines()
    (loop,) = [line for line in lines if line.startswith("for name in ")]
    assert loop.removeprefix("for name in ").removesuffix("; do").split() == list(CHECKS)


def test_what_git_ignores_is_not_looked_at(project):
    write(project, ".gitignore", "build\n")
    write(project, "src/util/build/a.h", "\n" * 601)
    assert run(project).returncode == 0


def test_a_check_that_is_not_there(project):
    done = run(project, "foldres")
    assert done.returncode == 2
    assert done.stdout.startswith("no such check: foldres; there are folders, ")
