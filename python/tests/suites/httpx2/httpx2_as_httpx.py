"""`import httpx` is httpx2, as httpx2 itself offers it, also natively."""

import httpx2

httpx2.alias_httpx()
