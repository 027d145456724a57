"""The project's files, as the checks see them: paths and texts."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)')
READ = {".c", ".h", ".py", ".sh", ""}  # "": scripts such as tools/lint


class Include(NamedTuple):
    """One #include line. `name` is what it names; `ours` tells quotes from angle brackets."""

    line: int
    name: str
    ours: bool


class Tree:
    """Text files by path. Paths are relative to the project's root and use slashes."""

    def __init__(self, files: dict[str, str]) -> None:
        self.files = files

    @classmethod
    def read(cls, root: Path) -> "Tree":
        """The files that git knows, or would add."""
        command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True)
        files = {}
        for path in sorted(set(listed.stdout.split("\0"))):
            file = root / path
            if path and file.suffix in READ and file.is_file() and not file.is_symlink():
                files[path] = file.read_text(encoding="utf-8", errors="replace")
        return cls(files)

    def paths(self, pattern: str) -> Iterator[str]:
        """The paths that match a regular expression, whole, in order."""
        return (path for path in sorted(self.files) if re.fullmatch(pattern, path))

    def sources(self) -> Iterator[str]:
        """The .c and .h files of src/."""
        return self.paths(r"src/.*\.[ch]")

    def headers(self) -> Iterator[str]:
        """The .h files of src/ and of include/, which holds the public one."""
        return self.paths(r"(src|include)/.*\.h")

    def lines(self, path: str) -> list[str]:
        return self.files[path].split("\n")

    def includes(self, path: str) -> Iterator[Include]:
        for number, line in enumerate(self.lines(path), 1):
            if found := INCLUDE.match(line):
                yield Include(number, found[1] or found[2], found[1] is not None)


def folder_of(path: str) -> str:
    """The folder of a source below src/ or include/; "" for a file that lies there directly."""
    parts = PurePosixPath(path).parts
    return parts[1] if len(parts) > 2 else ""


def module_of(path: str) -> str:
    """A .c file and the header of its name are one module: its path without src/ and suffix."""
    return str(PurePosixPath(*PurePosixPath(path).parts[1:]).with_suffix(""))


def stem_of(path: str) -> str:
    return PurePosixPath(path).stem
