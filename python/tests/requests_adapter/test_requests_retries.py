"""max_retries: what an HTTPAdapter would retry is retried, by the daemon, and ends as it would."""

import pytest
import requests
from urllib3.util.retry import Retry

from django_curlew import daemon
from django_curlew.adapters.requests import CurlewAdapter
from tests.support.scripted_origin import ScriptedOrigin, answer

BUSY = answer(b"busy", "503 Busy")


def mounted(url_of_daemon, max_retries):
    """A session of requests alone, without such a URL."""
    session = requests.Session()
    session.trust_env = False
    if url_of_daemon is None:
        adapter = requests.adapters.HTTPAdapter(max_retries=max_retries)
    else:
        adapter = CurlewAdapter(daemon.Daemon(url_of_daemon), max_retries=max_retries)
    session.mount("http://", adapter)
    return session


def outcome(session, url, method, timeout):
    """The status, or the classes of the exception and of what it stands for."""
    try:
        return session.request(method, url, timeout=timeout).status_code
    except requests.RequestException as err:
        reason = getattr(err.args[0], "reason", err.args[0])
        return type(err).__name__, type(err.args[0]).__name__, type(reason).__name__


def hangs_up(request, connection):
    connection.close()


def is_busy(request, connection):
    connection.send(BUSY)


def is_not_ready(request, connection):
    connection.send(answer(b"wait", "202 Accepted"))


def is_silent(request, connection):
    connection.hold()


def recovers(request, connection):
    """After two 503."""
    connection.send(BUSY if recovers.origin.requests[2:] == [] else answer(b"fine"))


CASES = [
    # name, script, Retry, method, requests that the origin sees
    ("none", is_busy, 0, "GET", 1),
    ("an int does not retry statuses", is_busy, 2, "GET", 1),
    ("an int retries reads", hangs_up, 2, "GET", 3),
    ("an int does not retry a POST", hangs_up, 2, "POST", 1),
    ("an int retries timeouts", is_silent, 1, "GET", 2),
    ("statuses", is_busy, Retry(2, status_forcelist=[503]), "GET", 3),
    ("a status count", is_busy, Retry(5, status=1, status_forcelist=[503]), "GET", 2),
    ("no status count", is_busy, Retry(5, status=0, status_forcelist=[503]), "GET", 1),
    ("another status", is_busy, Retry(2, status_forcelist=[500]), "GET", 1),
    ("statuses of a POST", is_busy, Retry(2, status_forcelist=[503]), "POST", 1),
    (
        "statuses of a POST that may be retried",
        is_busy,
        Retry(2, status_forcelist=[503], allowed_methods=["POST"]),
        "POST",
        3,
    ),
    (
        "statuses of all methods",
        is_busy,
        Retry(2, status_forcelist=[503], allowed_methods=None),
        "PATCH",
        3,
    ),
    (
        "statuses without an exception",
        is_busy,
        Retry(2, status_forcelist=[503], raise_on_status=False),
        "GET",
        3,
    ),
    ("a status that is no error", is_not_ready, Retry(2, status_forcelist=[202, 503]), "GET", 3),
    ("no reads", hangs_up, Retry(2, read=0), "GET", 1),
    ("reads are errors at once", hangs_up, Retry(2, read=False), "GET", 1),
    ("a read count", hangs_up, Retry(total=None, read=1), "GET", 2),
    ("False", hangs_up, Retry(False), "GET", 1),
    ("recovery", recovers, Retry(3, status_forcelist=[503], backoff_factor=0.01), "GET", 3),
]


@pytest.mark.parametrize(
    "script, retries, method, count",
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_retries_end_as_those_of_requests(one_daemon, script, retries, method, count):
    outcomes, counts = [], []
    for url in (f"fcgi+unix:{one_daemon.socket}", None):
        with ScriptedOrigin(script) as origin:
            recovers.origin = origin
            outcomes.append(outcome(mounted(url, retries), origin.url(), method, (5, 0.3)))
            counts.append(len(origin.requests))
    ours, alone = outcomes
    assert ours == alone
    assert counts == [count, count]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_failed_connections_are_retried_with_every_method(one_daemon, method):
    retries = Retry(2, connect=2, read=0, backoff_factor=0.01)
    outcomes = []
    for url in (f"fcgi+unix:{one_daemon.socket}", None):
        with ScriptedOrigin(hangs_up) as origin:
            origin.refuse()
            outcomes.append(outcome(mounted(url, retries), origin.url(), method, 5))
    assert outcomes[0] == outcomes[1] == ("ConnectionError", "MaxRetryError", "NewConnectionError")


def test_the_daemon_retries_and_says_so(one_daemon):
    session = mounted(f"fcgi+unix:{one_daemon.socket}", Retry(3, status_forcelist=[503]))
    with ScriptedOrigin(recovers) as origin:
        recovers.origin = origin
        response = session.get(origin.url())
    assert (response.text, response.raw.curlew["attempts"]) == ("fine", 3)


class Counting(Retry):
    """As PyGithub's: its own methods decide."""

    incremented = []

    def increment(self, *args, response=None, **kwargs):
        self.incremented.append(response and (response.status, response.data))
        return super().increment(*args, response=response, **kwargs)

    def is_retry(self, method, status_code, has_retry_after=False):
        return status_code == 503


def test_methods_of_a_subclass_decide(one_daemon):
    Counting.incremented.clear()
    with ScriptedOrigin(recovers) as origin:
        recovers.origin = origin
        response = mounted(f"fcgi+unix:{one_daemon.socket}", Counting(3)).get(origin.url())
        assert (response.text, len(origin.requests)) == ("fine", 3)
    assert Counting.incremented == [(503, b"busy"), (503, b"busy")]
    assert response.raw.curlew["attempts"] == 1


@pytest.mark.parametrize("size", [5, 300000])
def test_a_body_is_sent_again_from_its_beginning(one_daemon, tmp_path, size):
    path = tmp_path / "body"
    path.write_bytes(b"-" * 3 + b"x" * size)
    with ScriptedOrigin(recovers) as origin, path.open("rb") as file:
        recovers.origin = origin
        file.seek(3)
        session = mounted(f"fcgi+unix:{one_daemon.socket}", Counting(3))
        assert session.put(origin.url(), data=file).text == "fine"
        assert [r.body for r in origin.requests] == [b"x" * size] * 3


def test_an_iterator_is_sent_once(one_daemon):
    with ScriptedOrigin(is_busy) as origin:
        session = mounted(f"fcgi+unix:{one_daemon.socket}", Counting(3))
        with pytest.raises(requests.exceptions.RetryError):
            session.put(origin.url(), data=iter([b"a", b"b"]))
        assert [r.body for r in origin.requests] == [b"ab"]


def test_retry_after_is_respected(one_daemon):
    def script(request, connection):
        first = len(origin.requests) == 1
        connection.send(answer(b"", "429 Slow", ["Retry-After: 1"]) if first else answer(b"fine"))

    url = f"fcgi+unix:{one_daemon.socket}"
    for respect, waits in ((True, 0.9), (False, 0)):
        retries = Retry(1, status_forcelist=[429], respect_retry_after_header=respect)
        with ScriptedOrigin(script) as origin:
            assert mounted(url, retries).get(origin.url()).text == "fine"
            first, second = origin.requests
            assert (second.at - first.at > 0.9) == (waits > 0)


def test_without_max_retries_the_session_of_the_daemon_decides(curlewd):
    own = curlewd({"sessions": {"default": {"retries": {"max": 2, "statuses": [503]}}}})
    for max_retries, count in ((0, 3), (Retry(0), 1), (Retry(1, status_forcelist=[503]), 2)):
        with ScriptedOrigin(is_busy) as origin:
            session = mounted(f"fcgi+unix:{own.socket}", max_retries)
            outcome(session, origin.url(), "GET", 5)
            assert len(origin.requests) == count
