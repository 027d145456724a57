"""When an upload goes out again, on a new connection, and when not."""

import io
import threading
import time

import pytest
from fake_daemon import FakeDaemon, read_request, record, response
from upload_client import KINDS, OBJECT, Recorder, exchange, pipe_of, problem, read_line

from django_curlew.daemon import Daemon, IncompleteResponse, NoResponse, Upload, file_length
from django_curlew.daemon.body_source import PIECE_BYTES


def serve_then(*scripts):
    """A connection on which a request is answered, so that it is kept; then these scripts."""
    def script(sock):
        read_request(sock)
        sock.sendall(response())
        for each in scripts:
            each(sock)
    return script


def keep_connection(kind, d):
    assert exchange(kind, d, b"{}").status == 200


REPEATABLE = {"file": lambda: io.BytesIO(b"abc"), "list": lambda: [b"a", b"bc"]}
ONCE = {"generator": lambda: iter([b"a", b"bc"]), "pipe": lambda: pipe_of(b"abc")}


@pytest.mark.parametrize("name", [*REPEATABLE, *ONCE])
@pytest.mark.parametrize("kind", KINDS)
def test_on_a_connection_that_has_ended_nothing_is_read_from_the_source(kind, name):
    closed, script = threading.Event(), Recorder()

    def close(sock):
        sock.close()
        closed.set()

    with FakeDaemon(serve_then(close), script) as fake:
        d = Daemon(fake.url)
        keep_connection(kind, d)
        closed.wait(5)
        source = {**REPEATABLE, **ONCE}[name]()
        assert exchange(kind, d, Upload(source, request_object=OBJECT)).body == b"ok"
    assert script.body.endswith(b"\nabc")


def decline(sock):
    read_request(sock)
    sock.sendall(problem(503, b"draining"))


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_declined_goes_out_again_if_its_source_can_be_read_again(kind):
    for make in REPEATABLE.values():
        script = Recorder()
        with FakeDaemon(decline, script) as fake:
            answer = exchange(kind, Daemon(fake.url), Upload(make(), head=b"{}\n", length=3))
            assert answer.status == 200 and script.body == b"{}\nabc"
    for make in ONCE.values():
        with FakeDaemon(decline) as fake:
            answer = exchange(kind, Daemon(fake.url), Upload(make(), head=b"{}\n", length=3))
            assert answer.status == 503 and fake.accepted == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_declined_upload_by_fastcgis_word(kind):
    def overloaded(sock):
        read_request(sock)
        sock.sendall(record(3, b"\0\0\0\0\2\0\0\0"))

    with FakeDaemon(overloaded, Recorder()) as fake:
        upload = Upload([b"x"], head=b"{}\n")
        assert exchange(kind, Daemon(fake.url), upload).status == 200
    with FakeDaemon(overloaded) as fake, pytest.raises(IncompleteResponse, match="OVERLOADED"):
        exchange(kind, Daemon(fake.url), Upload(iter([b"x"]), head=b"{}\n"))


@pytest.mark.parametrize("idempotent", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_an_upload_that_broke_off_is_sent_again_only_if_it_is_idempotent(kind, idempotent):
    """curlewd acts upon a request that it has only a part of: a reset says nothing."""
    def close_unread(sock):
        read_line(sock)
        time.sleep(0.1)  # now there is more to read, so the kernel reports a reset

    script = Recorder()
    scripts = [serve_then(close_unread)] + [script] * idempotent
    with FakeDaemon(*scripts) as fake:
        d = Daemon(fake.url)
        keep_connection(kind, d)
        file = io.BytesIO(bytes(9 * PIECE_BYTES))
        upload = Upload(file, request_object=OBJECT, length=file_length(file))
        if idempotent:
            assert exchange(kind, d, upload, idempotent=True).status == 200
            assert len(script.body.partition(b"\n")[2]) == 9 * PIECE_BYTES
        else:
            with pytest.raises(NoResponse):
                exchange(kind, d, upload)
        assert fake.accepted == 1 + idempotent


@pytest.mark.parametrize("kind", KINDS)
def test_a_head_that_was_read_may_have_been_acted_upon(kind):
    with FakeDaemon(serve_then(read_line)) as fake:
        d = Daemon(fake.url)
        keep_connection(kind, d)
        with pytest.raises(NoResponse):
            exchange(kind, d, Upload([b"x"], request_object=OBJECT), timeout=2)
        assert fake.accepted == 1


@pytest.mark.parametrize("kind", KINDS)
def test_an_iterator_is_never_sent_again_once_it_was_read(kind):
    def close_unread(sock):
        read_line(sock)

    with FakeDaemon(serve_then(close_unread)) as fake:
        d = Daemon(fake.url)
        keep_connection(kind, d)
        with pytest.raises(NoResponse):
            exchange(kind, d, Upload(iter([b"x"] * 9), request_object=OBJECT), idempotent=True)
        assert fake.accepted == 1
