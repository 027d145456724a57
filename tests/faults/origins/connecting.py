"""Before a byte of an answer: no name, no connection, no word."""

import contextlib
import socket
import threading

from .fault import RAW, Port, fault


@fault("the port is closed", "connect_failed", origin=Port)
def refused(port):
    pass


@fault("the connection is never accepted", "connect_timeout", origin=Port,
       timeout={"connect": 0.4})
def full_backlog(port):
    """The kernel drops further SYNs."""
    port.sock.listen(0)
    for _ in range(4):
        sock = socket.socket()
        sock.settimeout(0.1)
        with contextlib.suppress(TimeoutError):
            sock.connect(("127.0.0.1", port.port))
        port.more.append(sock)


@fault("the connection is never accepted, and the total time is shorter", "timeout", origin=Port,
       timeout={"total": 0.4})
def full_backlog_total(port):
    full_backlog(port)


@fault("the name has no address", "dns_failed", url="http://nowhere.invalid/", origin=Port)
def no_name(port):
    pass


# The reset may come before the daemon has seen the connection.
@fault("a reset before the request was read", "recv_failed", "send_failed", "connect_failed",
       origin=RAW)
def reset_at_once(connection):
    connection.reset()


@fault("an end before the request was read", "recv_failed", "send_failed", origin=RAW)
def end_at_once(connection):
    connection.close()


@fault("a reset after the request", "recv_failed")
def reset_after_the_request(request, connection):
    connection.reset()


@fault("an end after the request", "recv_failed")
def end_after_the_request(request, connection):
    connection.close()


@fault("no byte of an answer", "timeout", timeout=0.4)
def silence(request, connection):
    connection.hold()


@fault("no byte of an answer, by the idle timeout", "idle_timeout", timeout={"idle": 0.4})
def silence_idle(request, connection):
    connection.hold()


@fault("an upload that is not read", "timeout", origin=RAW, timeout=0.4, method="POST",
       body="x" * 100_000, memory=64 << 20)
def upload_not_read(connection):
    threading.Event().wait(1)
