"""For an ASGI server with no web server before it: `uvicorn project.bridge:application`.

The bridge does what nginx does elsewhere: it delivers handoffs. It speaks to curlewd's socket:
CURLEW's URL, or BRIDGE_URL. Other programs can use curlewd through it if it has a mount, and a
secret that they send as a bearer token:

    CurlewBridge(django, mount="/_fetch", secret=os.environ["MOUNT_SECRET"])
"""

from django_curlew.asgi import CurlewBridge

from .asgi import application as django

application = CurlewBridge(django)
