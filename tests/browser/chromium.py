"""Debian's Chromium without a window, driven by Playwright."""

import os
import shutil

from playwright.sync_api import sync_playwright

# What a page under test may log: a request that failed, as the test has made it fail.
EXPECTED = "Failed to load resource"


class Chromium:
    """A browser process; each page has a context of its own, without cookies and storage."""

    def __enter__(self):
        program = shutil.which("chromium")
        if program is None:
            raise FileNotFoundError("chromium is not installed: run tools/deps.sh browser")
        self.playwright = sync_playwright().start()
        flags = ["--no-sandbox"] if os.getuid() == 0 else []
        self.browser = self.playwright.chromium.launch(executable_path=program, args=flags)
        return self

    def __exit__(self, *_):
        self.browser.close()
        self.playwright.stop()

    def open(self, url, dark=False, width=1280, height=900, scale=1, mobile=False):
        context = self.browser.new_context(
            color_scheme="dark" if dark else "light", viewport={"width": width, "height": height},
            device_scale_factor=scale, is_mobile=mobile, reduced_motion="reduce")
        page = context.new_page()
        page.faults = []
        page.on("pageerror", lambda err: page.faults.append(str(err)))
        page.on("console", lambda message: record(page.faults, message))
        page.goto(url, wait_until="commit")
        return page


def record(faults, message):
    if message.type in ("error", "warning") and EXPECTED not in message.text:
        faults.append(message.text)
