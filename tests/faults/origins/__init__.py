"""Origins that misbehave: a file for each stage at which they do; FAULTS is the whole table."""

from . import bodies, codings, connecting, heads, http2, proxies, redirects, tls  # noqa: F401
from .fault import FAULTS, GOOD, Fault  # noqa: F401
