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


def resident_mb(pid):
    return _status(f"/proc/{pid}/status", "VmRSS") * 1.024e-3


def peak_mb(pid):
    return _status(f"/proc/{pid}/status", "VmHWM") * 1.024e-3


def wake_ups(pid):
    """How often its threads have gone to sleep, all together."""
    return sum(_status(task, "voluntary_ctxt_switches")
               for task in Path(f"/proc/{pid}/task").glob("*/status"))


class Cpu:
    """Processor time between entering and leaving: .us, and .user and .system in proportion."""

    def __init__(self, *pids):
        self.pids = pids

    def _now(self):
        user, system = map(sum, zip(*map(split_us, self.pids)))
        return sum(map(cpu_us, self.pids)), user, system

    def __enter__(self):
        self.start = self._now()
        return self

    def __exit__(self, *_):
        self.us, user, system = (b - a for a, b in zip(self.start, self._now()))
        share = user / (user + system) if user + system > 0 else 0.0
        self.user, self.system = self.us * share, self.us * (1 - share)
