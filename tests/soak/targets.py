"""Fetches under fifteen browsers in turn: python -m tests.soak.targets FETCHES (make soak-targets).

All answers are right, and memory stays what it was after the first fifth.
"""

import shutil
import sys
import time

from tests.support.certs import make_certs
from tests.support.curlewd import Curlewd
from tests.support.libcurls import impersonating_env
from tests.support.procs import stop_all, temp_dir
from tests.support.target_load import FaceOrigin, TargetLoad

GROWTH_KIB = 4 * 1024
STEPS = 10


def soak_targets(fetches):
    directory = temp_dir()
    daemon = Curlewd({"log": {"access": False}}, env=impersonating_env())
    memory = []
    with FaceOrigin(make_certs(directory)) as origin:
        load = TargetLoad(daemon.client, origin.url)
        for _ in range(STEPS):
            load.run(fetches // STEPS)
            load.check()
            memory.append(daemon.rss_kib())
            print(f"{load.done} fetches: {memory[-1] / 1024:.1f} MiB", flush=True)
    daemon.stop()
    shutil.rmtree(daemon.directory, ignore_errors=True)
    shutil.rmtree(directory, ignore_errors=True)
    assert memory[-1] - memory[STEPS // 5 - 1] < GROWTH_KIB, f"memory grows: {memory}"


def main(fetches):
    started = time.monotonic()
    try:
        soak_targets(fetches)
    finally:
        stop_all()
    print(f"none was wrong, none failed, in {time.monotonic() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
