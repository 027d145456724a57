"""A pytest plugin: the installed curl_cffi, not the source beside its tests, which is not built."""

import os
import sys

sys.path[:] = [path for path in sys.path if path not in ("", os.getcwd())]
