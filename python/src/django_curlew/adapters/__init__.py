"""Curlew as the transport of other HTTP clients: `adapters.httpx` and `adapters.requests`.

Each needs the client's package, and neither needs Django. Redirects, cookies, authentication and
decoding stay the client's; the daemon makes each single exchange, with its kept connections, its
egress guard (against SSRF) and its limits.
"""
