"""Curlew below other clients: `adapters.httpx` and `adapters.requests`.

Each needs its client's package, and none of them Django. The client keeps what is its own
(redirects, cookies, authentication, decoding); the daemon does each single exchange, with its
warm connections, its egress guard and its limits.
"""
