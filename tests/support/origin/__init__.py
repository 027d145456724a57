"""An origin to fetch from: HTTP/1.1 and HTTP/2, plain and TLS, good pages and pages with faults.

    python -m tests.support.origin --certs DIR

prints one line of JSON with its ports once it listens. Everything runs on one asyncio loop.
GET /_stats returns what the origin saw, GET /_events when, POST /_reset sets the counts to zero;
connections used for these are not counted.
"""
