"""What a process has used: its processor time, its memory, its wake-ups."""

import re
import time
from pathlib import Path


def cpu_us(pid):
    """User and system time of all its threads, dead ones too (clock_getcpuclockid(3))."""
    return time.clock_gettime(~pid << 3 | 2) * 1e6


def split_us(pid):
    """(user, system) from /proc/PID/stat, in ticks of 10 ms: good for their proportion."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) * 1e4, int(fields[12]) * 1e4


def _status(path, name):
    return int(re.search(rf"^{name}:\s+(\d+)", Path(path).read_text(), re.M)[1])


def resident_kib(pid):
    return _status(f"/proc/{pid}/status", "VmRSS")


def peak_kib(pid):
    return _status(f"/proc/{pid}/status", "VmHWM")


def wake_ups(pid):
    """How often its threads have gone to sleep, all together."""
    return sum(_status(task, "voluntary_ctxt_switches")
               for task in Path(f"/proc/{pid}/task").glob("*/status"))


class Cpu:
    """Processor time between entering and leaving: .us, and .user and .system in proportion."""

    def __init__(self, pid):
        self.pid = pid

    def __enter__(self):
        self.start, self.start_split = cpu_us(self.pid), split_us(self.pid)
        return self

    def __exit__(self, *_):
        self.us = cpu_us(self.pid) - self.start
        user, system = (b - a for a, b in zip(self.start_split, split_us(self.pid)))
        share = user / (user + system) if user + system > 0 else 0.0
        self.user, self.system = self.us * share, self.us * (1 - share)
