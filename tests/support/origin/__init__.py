"""An origin to fetch from: HTTP/1.1 and HTTP/2, plain and TLS, well-behaved pages and bad ones.

    python -m tests.support.origin --certs DIR

prints one line of JSON with its ports once it listens. Everything runs on one asyncio loop.
GET /_stats tells what the origin saw, GET /_events when, POST /_reset starts the count anew;
connections that ask for these are not counted.
"""
