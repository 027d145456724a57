"""For an ASGI server with no web server before it: `uvicorn project.bridge:application`.

The bridge does what nginx does elsewhere: it delivers handoffs, and mounts curlewd at /_fetch/
for this machine. It speaks to curlewd's socket: CURLEW's URL, or BRIDGE_URL.
"""

from django_curlew.asgi import CurlewBridge

from .asgi import application as django

application = CurlewBridge(django)
