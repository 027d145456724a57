"""A terminal that shows one screen again and again: for `manage.py curlew top`.

Plain ANSI sequences, which every terminal of today understands; no library is needed.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import sys
import time
from typing import Iterator, Sequence, TextIO, Tuple

ENTER = "\x1b[?1049h\x1b[?25l"  # the alternate screen, no cursor
LEAVE = "\x1b[?25h\x1b[?1049l"
HOME = "\x1b[H"
CLEAR_LINE = "\x1b[K"
CLEAR_REST = "\x1b[J"


class Screen:
    """Use it in `with`; afterwards the terminal is as it was, however the block ended."""

    def __init__(self, out: TextIO) -> None:
        self.out = out
        self._keys = -1  # a descriptor to read keys from; -1: none
        self._exit = contextlib.ExitStack()

    def __enter__(self) -> "Screen":
        with contextlib.suppress(OSError, ValueError, ImportError):
            if sys.stdin.isatty():
                self._keys = sys.stdin.fileno()
                self._exit.enter_context(_unbuffered(self._keys))
        self.out.write(ENTER)
        self.out.flush()
        return self

    def __exit__(self, *_: object) -> None:
        self._exit.close()
        self.out.write(LEAVE)
        self.out.flush()

    def size(self) -> Tuple[int, int]:
        """(columns, lines), as they are now: the window may have been resized."""
        columns, lines = shutil.get_terminal_size()
        return columns, lines

    def show(self, lines: Sequence[str]) -> None:
        text = "\n".join(line + CLEAR_LINE for line in lines)
        self.out.write(HOME + text + CLEAR_REST)
        self.out.flush()

    def is_quit(self, seconds: float) -> bool:
        """Wait so long, or until q or Ctrl-C is pressed: then true."""
        end = time.monotonic() + seconds
        while True:
            left = end - time.monotonic()
            if left <= 0:
                return False
            if self._keys < 0:
                time.sleep(left)
                continue
            ready, _, _ = select.select([self._keys], [], [], left)
            if ready:
                pressed = os.read(self._keys, 64)
                if not pressed or any(key in b"qQ\x03" for key in pressed):
                    return True


@contextlib.contextmanager
def _unbuffered(fd: int) -> Iterator[None]:
    """Keys come at once, and are not shown."""
    import termios  # not on every system
    import tty

    before = termios.tcgetattr(fd)
    tty.setcbreak(fd)
    try:
        yield
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)
