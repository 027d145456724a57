"""Certificates that do not count, handshakes that fail or stop, and TLS that breaks afterwards."""

import os
import socket
import ssl

from tests.support.scripted_origin import ScriptedConnection, ScriptedOrigin, answer

from .fault import GOOD, HEAD, RAW_TLS, TLS, fault


class Certificate(ScriptedOrigin):
    """Shows another certificate than the one that it should."""

    name = ""

    def __init__(self, act, certs):
        super().__init__(act)
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(certs / f"{self.name}.pem", certs / f"{self.name}.key")


def certificate(title, file):
    @fault(title, "tls_failed", origin=type(file, (Certificate,), {"name": file}))
    def answer_well(request, connection):
        connection.send(answer(GOOD))


certificate("a certificate that has expired", "expired")
certificate("a certificate of another host", "elsewhere")
certificate("a certificate of an unknown authority", "stranger")
certificate("a certificate that is self-signed", "other-ca")


@fault("no byte of a handshake", "connect_timeout", origin=RAW_TLS, timeout={"connect": 0.4})
def silent_handshake(connection):
    connection.hold()


@fault("an end instead of a handshake", "tls_failed", origin=RAW_TLS)
def ended_handshake(connection):
    connection.read(5)
    connection.close()


@fault("a reset instead of a handshake", "tls_failed", origin=RAW_TLS)
def reset_handshake(connection):
    connection.read(5)
    connection.reset()


@fault("an alert instead of a handshake", "tls_failed", origin=RAW_TLS)
def alert(connection):
    connection.read(5)
    connection.send(b"\x15\x03\x03\0\x02\x02\x28")  # fatal, handshake_failure
    connection.close()


@fault("plain HTTP on the port of TLS", "tls_failed", origin=RAW_TLS)
def plain_http(connection):
    connection.read(5)
    connection.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    connection.close()


# GnuTLS collects all that a message of a handshake may have, 16 MiB, before it says no.
@fault("records without end instead of a handshake", "tls_failed", "connect_timeout",
       origin=RAW_TLS, timeout={"connect": 1}, memory_with_gnutls=20 * (24 << 20))
def endless_handshake(connection):
    connection.read(5)
    while True:
        connection.send(b"\x16\x03\x03\x40\0" + b"\x02\xff\xff\xff" + b"\0" * 16380)


@fault("warnings without end instead of a handshake", "tls_failed", "connect_timeout",
       origin=RAW_TLS, timeout={"connect": 1})
def endless_alerts(connection):
    connection.read(5)
    while True:
        connection.send(b"\x15\x03\x03\0\x02\x01\x5a" * 100)  # user_canceled


# A length tells the end; RFC 9110 section 9.6 asks for no close_notify then.
@fault("no close_notify behind a whole body", origin=TLS)
def no_close_notify(request, connection):
    connection.send(answer(GOOD))
    connection.close()


@fault("no close_notify where the end of TLS is the body's", "incomplete_body", "recv_failed",
       origin=TLS, after_head=None)
def cut_tls(request, connection):
    connection.send(HEAD + b"Content-Type: text/plain\r\n\r\nhalf")
    connection.close()


@fault("a record that cannot be decrypted in the body", "recv_failed", "incomplete_body",
       "tls_failed", origin=TLS, after_head=None)
def broken_record(request, connection):
    connection.send(HEAD + b"Content-Length: 100\r\n\r\nhalf")
    under_tls(connection).send(b"\x17\x03\x03\x00\x20" + b"x" * 32)
    connection.hold()


@fault("plain bytes in the body", "recv_failed", "incomplete_body", "tls_failed", origin=TLS,
       after_head=None)
def plain_bytes(request, connection):
    connection.send(HEAD + b"Content-Length: 100\r\n\r\nhalf")
    under_tls(connection).send(b"and plain text")
    connection.hold()


def under_tls(connection):
    """The same socket, past Python's TLS."""
    sock = socket.socket(fileno=os.dup(connection.sock.fileno()))
    return ScriptedConnection(sock, connection.number)
