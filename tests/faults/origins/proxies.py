"""Proxies that lie, loop or stop: HTTP tunnels and SOCKS."""

import functools

from .fault import RAW, fault
from .heads import pour

connect_fault = functools.partial(fault, origin=RAW, via="http")
socks_fault = functools.partial(fault, origin=RAW, via="socks5h")
ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
FAILED = ("proxy_failed", "tls_failed")
CHOSEN = b"\x05\x00"  # SOCKS 5: no password


def await_head(connection):
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += connection.read(1)


@connect_fault("CONNECT is accepted, and garbage follows", "tls_failed", "proxy_failed")
def garbage_behind_connect(connection):
    await_head(connection)
    connection.send(ESTABLISHED + b"no TLS at all" * 100)
    connection.hold()


# The head itself is none of the faults.
@connect_fault("CONNECT is accepted with a head of 10 KB, and garbage follows", "tls_failed")
def garbage_behind_long_head(connection):
    await_head(connection)
    connection.send(b"HTTP/1.1 200 OK\r\n" + b"X-Field: %b\r\n" % (b"x" * 88) * 100 + b"\r\n")
    connection.send(b"no TLS at all" * 100)
    connection.hold()


@connect_fault("CONNECT is accepted, and the connection ends", "tls_failed", "proxy_failed")
def end_behind_connect(connection):
    await_head(connection)
    connection.send(ESTABLISHED)
    connection.close()


@connect_fault("CONNECT is not answered", "connect_timeout", timeout={"connect": 0.4})
def silent_connect(connection):
    connection.hold()


@connect_fault("CONNECT is refused, again and again, for a password", "proxy_failed",
               proxy_auth=["user", "word"])
def endless_407(connection):
    while True:
        await_head(connection)
        connection.send(b"HTTP/1.1 407 Proxy Authentication Required\r\n"
                        b'Proxy-Authenticate: Basic realm="x"\r\nContent-Length: 0\r\n\r\n')


@connect_fault("CONNECT is refused", "proxy_failed")
def refused(connection):
    await_head(connection)
    connection.send(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 5\r\n\r\nsorry")
    connection.hold()


@connect_fault("CONNECT is refused with a body without end", "proxy_failed", "connect_timeout",
               "protocol_error", timeout={"connect": 1})
def endless_refusal(connection):
    await_head(connection)
    connection.send(b"HTTP/1.1 407 Proxy Authentication Required\r\n"
                    b'Proxy-Authenticate: Basic realm="x"\r\nTransfer-Encoding: chunked\r\n\r\n')
    pour(connection, b"5\r\nsorry\r\n" * 1000)


@connect_fault("the answer to CONNECT has no end", "proxy_failed")
def endless_head(connection):
    await_head(connection)
    connection.send(b"HTTP/1.1 200 OK\r\n")
    pour(connection, b"X-Field: x\r\n" * 1000)


@connect_fault("the answer to CONNECT has a line without end", "proxy_failed")
def endless_line(connection):
    await_head(connection)
    connection.send(b"HTTP/1.1 200 ")
    pour(connection, b"x" * 10000)


@connect_fault("status 100 without end to CONNECT", "proxy_failed", "connect_timeout",
               timeout={"connect": 1})
def endless_100(connection):
    await_head(connection)
    pour(connection, b"HTTP/1.1 100 Continue\r\n\r\n" * 100)


@connect_fault("the answer to CONNECT is cut", "proxy_failed")
def cut_head(connection):
    await_head(connection)
    connection.send(b"HTTP/1.1 200 OK\r\nX-Fi")
    connection.close()


@connect_fault("the answer to CONNECT is not HTTP", "proxy_failed")
def not_http(connection):
    await_head(connection)
    connection.send(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
    connection.close()


@connect_fault("the proxy resets the connection", "proxy_failed")
def reset(connection):
    await_head(connection)
    connection.reset()


@fault("the proxy forwards nothing", "recv_failed", "proxy_failed", via="http",
       url="http://127.0.0.1:9/fault", origin=RAW)
def forwards_nothing(connection):
    await_head(connection)
    connection.close()


@socks_fault("a SOCKS proxy that says nothing", "connect_timeout", timeout={"connect": 0.4})
def silent_socks(connection):
    connection.hold()


@socks_fault("a SOCKS proxy that ends", "proxy_failed")
def ended_socks(connection):
    connection.read(3)
    connection.close()


@socks_fault("a SOCKS proxy of another version", "proxy_failed")
def other_socks(connection):
    connection.read(3)
    connection.send(b"\x04\x5a" + bytes(6))
    connection.hold()


@socks_fault("a SOCKS proxy with an unknown method", "proxy_failed")
def unknown_method(connection):
    connection.read(3)
    connection.send(b"\x05\x7f")
    connection.hold()


@socks_fault("a SOCKS proxy that wants a password", "proxy_failed")
def wants_password(connection):
    connection.read(3)
    connection.send(b"\x05\x02\x01\x01")
    connection.hold()


@socks_fault("a SOCKS proxy whose reply is cut", "proxy_failed")
def cut_reply(connection):
    connection.read(3)
    connection.send(CHOSEN)
    connection.read(10)
    connection.send(b"\x05\x00\x00")
    connection.close()


@socks_fault("a SOCKS proxy whose reply stops", "connect_timeout", timeout={"connect": 0.4})
def stalled_reply(connection):
    connection.read(3)
    connection.send(CHOSEN)
    connection.read(10)
    connection.send(b"\x05\x00\x00")
    connection.hold()


@socks_fault("a SOCKS proxy with an unknown kind of address", "proxy_failed")
def odd_address(connection):
    connection.read(3)
    connection.send(CHOSEN)
    connection.read(10)
    connection.send(b"\x05\x00\x00\x77" + bytes(100))
    connection.hold()


@socks_fault("a SOCKS proxy that refuses", "proxy_failed")
def socks_refuses(connection):
    connection.read(3)
    connection.send(CHOSEN)
    connection.read(10)
    connection.send(b"\x05\x02\x00\x01" + bytes(6))
    connection.hold()


@socks_fault("a SOCKS proxy that connects, and ends", *FAILED)
def socks_ends(connection):
    connection.read(3)
    connection.send(CHOSEN)
    connection.read(10)
    connection.send(b"\x05\x00\x00\x01" + bytes(6))
    connection.close()


@socks_fault("a SOCKS proxy that connects, and sends garbage", *FAILED)
def socks_garbage(connection):
    connection.read(3)
    connection.send(CHOSEN)
    connection.read(10)
    connection.send(b"\x05\x00\x00\x01" + bytes(6) + b"no TLS at all" * 100)
    connection.hold()

