"""python -m tests.browser.screenshots [SECONDS [DIRECTORY]] - the pictures of the documentation.

The status page behind nginx, after so many seconds of traffic (600: its charts are full then).
"""

import contextlib
import io
import shutil
import sys
import time
from pathlib import Path

from PIL import Image

from tests.browser import traffic
from tests.browser.chromium import Chromium
from tests.support.curlewd import ROOT, Curlewd
from tests.support.origin.client import OriginProcess
from tests.support.procs import stop_all, temp_dir
from tests.support.web_servers import WebServer

# name: (width, height, whole page, dark, mobile)
PICTURES = {
    "status": (1280, 1000, False, False, False),
    "status-dark": (1280, 1000, False, True, False),
    "status-phone": (390, 844, False, False, True),
}
WHOLE = {f"whole-{name}": (w, h, True, dark, mobile)
         for name, (w, h, _, dark, mobile) in PICTURES.items()}
COLORS = 256  # of a picture: small, and nobody sees the difference


@contextlib.contextmanager
def site():
    """A daemon with an origin, behind nginx: (daemon, origin, nginx)."""
    directory = temp_dir()
    origin = OriginProcess(directory)
    daemon = Curlewd(traffic.config(origin))
    web_server = WebServer("nginx", daemon.socket)
    try:
        yield daemon, origin, web_server
    finally:
        web_server.stop()
        daemon.stop()
        origin.stop()
        stop_all()
        shutil.rmtree(directory, ignore_errors=True)


def take(page, path, whole):
    picture = Image.open(io.BytesIO(page.screenshot(full_page=whole)))
    picture.convert("RGB").quantize(COLORS).save(path, optimize=True)
    print(f"{path}: {path.stat().st_size >> 10} KiB")


def main(seconds=600, directory=ROOT / "docs" / "pictures"):
    pictures = PICTURES if Path(directory) == ROOT / "docs" / "pictures" else {**PICTURES, **WHOLE}
    with site() as (daemon, origin, web_server), Chromium() as chromium:
        pages = {name: chromium.open(f"{web_server.url}/_fetch/status", dark=dark, width=width,
                                     height=height, mobile=mobile)
                 for name, (width, height, _, dark, mobile) in pictures.items()}
        with traffic.Traffic(daemon, origin):
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                next(iter(pages.values())).wait_for_timeout(1000)  # lets Playwright see events
            Path(directory).mkdir(parents=True, exist_ok=True)
            for name, page in pages.items():
                take(page, Path(directory) / f"{name}.png", pictures[name][2])
        assert all(page.faults == [] for page in pages.values()), [p.faults for p in pages.values()]


if __name__ == "__main__":
    main(*(kind(value) for kind, value in zip((int, Path), sys.argv[1:])))
