"""The parts of the ASGI bridge, django_curlew.asgi.CurlewBridge."""
