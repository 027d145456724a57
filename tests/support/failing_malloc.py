"""The test's side of tests/faults/failing_malloc.c: which allocation of a daemon fails."""

import mmap
import shutil
import struct
import subprocess
from pathlib import Path

from .curlewd import ROOT

SIZE = 4096
LEFT, COUNT, FAILURES, LIVE, MORE, TRACE = range(0, 48, 8)  # as in its struct control


def build(directory):
    """The library, compiled."""
    library = directory / "failing_malloc.so"
    subprocess.run([shutil.which("cc"), "-shared", "-fPIC", "-O2", "-o", library,
                    ROOT / "tests/faults/failing_malloc.c"], check=True)
    return library


class FailingMalloc:
    """`env` is for the daemon; arm(n) makes the nth allocation from then on fail."""

    def __init__(self, library, path):
        path.write_bytes(bytes(SIZE))
        with open(path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), SIZE)
        self.env = {"LD_PRELOAD": str(library), "FAILING_MALLOC": str(path)}

    def _get(self, at):
        return struct.unpack_from("=q", self.map, at)[0]

    def _set(self, at, value):
        struct.pack_into("=q", self.map, at, value)

    def arm(self, n, more=0):
        """The nth allocation fails, and so do `more` right after it."""
        self.disarm()
        self._set(COUNT, 0)
        self._set(FAILURES, 0)
        self.map[TRACE:TRACE + 1] = b"\0"
        self._set(MORE, more)
        self._set(LEFT, n)

    def disarm(self):
        self._set(LEFT, 0)
        self._set(MORE, 0)

    @property
    def failures(self):
        """Since arm()."""
        return self._get(FAILURES)

    @property
    def live(self):
        """Allocations that were not freed, since the daemon's start."""
        return self._get(LIVE)

    def trace(self):
        """Where the last one failed, the innermost frame first: [(module, offset)]."""
        text = self.map[TRACE:].split(b"\0", 1)[0].decode()
        frames = [line.split("+") for line in text.splitlines() if "+" in line]
        return [(module, int(offset, 16)) for module, offset in frames
                if "failing_malloc" not in module]

    def places(self, n=12):
        """That trace for people: by function and line where the module has them."""
        return "\n".join(_place(module, offset) for module, offset in self.trace()[:n])


def _place(module, offset):
    command = ["addr2line", "-fse", module, hex(offset - 1)]
    found = subprocess.run(command, capture_output=True, text=True).stdout.split()
    where = " ".join(found[:2]) if found and found[0] != "??" else hex(offset)
    return f"  {Path(module).name}: {where}"
