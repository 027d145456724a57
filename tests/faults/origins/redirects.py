"""Redirects that lead nowhere, in circles, or where no caller may go."""

import itertools

from .fault import HEAD, fault
from .heads import pour

numbers = itertools.count()


def redirect(connection, location):
    connection.send(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + location
                    + b"\r\n\r\n")


@fault("a redirect to itself", "too_many_redirects")
def circle(request, connection):
    redirect(connection, b"/fault")


@fault("redirects without end", "too_many_redirects")
def endless_redirects(request, connection):
    redirect(connection, b"/fault?%d" % next(numbers))


@fault("a redirect to ftp", "blocked")
def to_ftp(request, connection):
    redirect(connection, b"ftp://127.0.0.1/")


@fault("a redirect to a file", "blocked")
def to_file(request, connection):
    redirect(connection, b"file:///etc/passwd")


@fault("a redirect to a private address", "blocked")
def to_private(request, connection):
    redirect(connection, b"http://10.0.0.1/")


@fault("a redirect to the cloud's metadata", "blocked")
def to_metadata(request, connection):
    redirect(connection, b"http://169.254.169.254/latest/meta-data/")


@fault("a redirect to no URL", "protocol_error", "bad_url")
def to_no_url(request, connection):
    redirect(connection, b"http://[::bad/")


@fault("a redirect to a closed port", "connect_failed")
def to_closed_port(request, connection):
    redirect(connection, b"http://127.0.0.1:9/")


@fault("a Location of 200 KB", "protocol_error", "bad_url")
def long_location(request, connection):
    redirect(connection, b"/fault?" + b"x" * 200_000)


@fault("a redirect whose body has no end", "response_too_large", max_body_bytes=1 << 20)
def endless_body(request, connection):
    connection.send(b"HTTP/1.1 302 Found\r\nLocation: /good\r\n\r\n")
    pour(connection, b"x" * 65536)


@fault("a redirect whose body stops", "timeout", timeout=0.4)
def stalled_body(request, connection):
    connection.send(b"HTTP/1.1 302 Found\r\nLocation: /good\r\nContent-Length: 10\r\n\r\nhalf")
    connection.hold()


@fault("a redirect to an answer that is cut", "incomplete_body", after_head=None)
def to_cut_answer(request, connection):
    if request.target == "/fault":
        redirect(connection, b"/cut")
    else:
        connection.send(HEAD + b"Content-Length: 100\r\n\r\nhalf")
        connection.close()
