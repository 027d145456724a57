"""The parts of the ASGI bridge (asgi.py), each of one concern."""
