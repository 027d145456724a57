"""Puts the daemon into the wheel, and says on which machines it runs.

CURLEWD_BINARY: the program. CURLEWD_PLATFORM: the wheel's platform tag. packaging/wheel/build sets
both. There is no sdist: it would need a compiler and five libraries, and where no wheel fits, pip's
"no matching distribution" says more than a compiler's errors.
"""

import os

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CustomBuildHook(BuildHookInterface):
    def initialize(self, version, build_data):
        if "CURLEWD_BINARY" not in os.environ:
            raise SystemExit("curlewd: the wheel is built by `make wheel`, in Curlew's repository")
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{os.environ['CURLEWD_PLATFORM']}"
        build_data["force_include"][os.environ["CURLEWD_BINARY"]] = "curlewd/bin/curlewd"
