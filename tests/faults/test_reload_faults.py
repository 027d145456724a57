"""Files that the daemon reads again: missing, cut, replaced, on a full disk."""

import os
import shutil

import pytest

from tests.support.clients import FastCgiClient, problem
from tests.support.curlewd import wait_logged
from tests.support.procs import wait_until

TOKEN = "a-token-that-is-long-enough-for-all"
ERROR = "the old one stays in force"


def errors(daemon):
    return [line["event"] for line in daemon.log_entries() if line["level"] == "error"]


def reload_fails(daemon, *words):
    """SIGHUP; the log says why, and names the file."""
    before = len(errors(daemon))
    daemon.process.send(1)
    wait_until("the failure is logged", lambda: len(errors(daemon)) > before)
    said = errors(daemon)[-1]
    assert ERROR in said, said
    for word in words:
        assert word in said, said


def remove(path):
    path.unlink()


def directory(path):
    path.unlink()
    path.mkdir()


def link_loop(path):
    path.unlink()
    path.symlink_to(path)


def endless(path):
    """As a file that something never stops to write."""
    os.truncate(path, 1 << 36)


def device(path):
    path.unlink()
    path.symlink_to("/dev/zero")


def fifo(path):
    """Nobody writes to it."""
    path.unlink()
    os.mkfifo(path)


def empty(path):
    """As an editor leaves it when the disk is full."""
    path.write_bytes(b"")


def cut(path):
    path.write_bytes(path.read_bytes()[:-20])


def noise(path):
    path.write_bytes(os.urandom(5000))


CONFIGURATION = {remove: "No such file", directory: "Is a directory", link_loop: "symbolic links",
                 endless: "larger than", device: "not a regular file",
                 fifo: "not a regular file", empty: "curlewd.json", cut: "curlewd.json",
                 noise: "curlewd.json"}


@pytest.mark.parametrize("fault", CONFIGURATION, ids=lambda f: f.__name__)
def test_a_configuration_that_cannot_be_read_changes_nothing(curlewd, origin, fault):
    daemon = curlewd({"sessions": {"mine": {}}})
    whole = daemon.config_path.read_bytes()
    fault(daemon.config_path)
    reload_fails(daemon, str(daemon.config_path), CONFIGURATION[fault])
    assert daemon.client.fetch(origin.url("/hello"), session="mine")["status"] == 200
    if daemon.config_path.is_dir():
        daemon.config_path.rmdir()
    daemon.config_path.unlink(missing_ok=True)
    daemon.config_path.write_bytes(whole)
    daemon.process.send(1)
    wait_logged(daemon, "the configuration was reloaded")
    assert daemon.client.fetch(origin.url("/hello"), session="mine")["status"] == 200


TOKENS = {remove: "No such file", directory: "directory", link_loop: "symbolic links",
          empty: "no token"}


@pytest.mark.parametrize("fault", TOKENS, ids=lambda f: f.__name__)
def test_tokens_that_cannot_be_read_leave_the_old_ones_in_force(curlewd, origin, tmp_path, fault):
    path = tmp_path / "tokens"
    path.write_text(f"{TOKEN}\n")
    daemon = curlewd({"auth": {"tokens_file": str(path)}, "sessions": {"mine": {}}})
    bearer = [("Authorization", f"Bearer {TOKEN}")]
    fault(path)
    daemon.write_config({**daemon.config, "sessions": {"other": {}}})
    reload_fails(daemon, str(path), TOKENS[fault])
    request = {"url": origin.url("/hello"), "session": "mine"}
    assert daemon.client.post(request, bearer).status == 200
    problem(daemon.client.post(request), 401, "unauthorized")
    problem(daemon.client.post({**request, "session": "other"}, bearer), 404, "unknown_session")


# -- certificates ----------------------------------------------------------------------------


@pytest.fixture
def ca(certs, tmp_path):
    """A copy of the authority's certificate that a test may change."""
    return shutil.copy(certs / "ca.pem", tmp_path / "ca.pem")


@pytest.fixture
def tls_daemon(curlewd, ca):
    return curlewd({"sessions": {"default": {"ca_file": str(ca)}}})


def fetch_anew(daemon, origin):
    """On a connection of its own, with whatever TLS session there is to resume."""
    return daemon.client.post({"url": origin.url("/close", port="https")})


CA_FAULTS = {remove: "tls_failed", directory: "tls_failed", empty: "tls_failed",
             noise: "tls_failed"}


@pytest.mark.parametrize("fault", CA_FAULTS, ids=lambda f: f.__name__)
def test_a_ca_file_that_cannot_be_read_fails_new_connections(tls_daemon, origin, ca, fault):
    whole = ca.read_bytes()
    assert fetch_anew(tls_daemon, origin).status == 200
    fault(ca)
    p = problem(fetch_anew(tls_daemon, origin), 502, CA_FAULTS[fault])
    assert "certificate" in p["detail"].lower() or "CA" in p["detail"], p
    assert tls_daemon.client.fetch(origin.url("/hello"))["status"] == 200  # others go on
    if ca.is_dir():
        ca.rmdir()
    ca.write_bytes(whole)
    assert fetch_anew(tls_daemon, origin).status == 200


def test_a_ca_file_that_is_replaced_counts_for_new_connections(tls_daemon, origin, certs, ca):
    """Also for those that could resume a session which the old one had vouched for."""
    for _ in range(3):
        assert fetch_anew(tls_daemon, origin).status == 200
    tls_daemon.client.fetch(origin.url("/hello", port="https"))
    shutil.copy(certs / "other-ca.pem", ca)
    kept = fetch_anew(tls_daemon, origin).json()
    assert kept["connection"]["reused"] is True
    problem(fetch_anew(tls_daemon, origin), 502, "tls_failed")
    problem(tls_daemon.client.post({"url": origin.url("/hello", port="h2")}), 502, "tls_failed")
    shutil.copy(certs / "ca.pem", ca)
    assert fetch_anew(tls_daemon, origin).status == 200


@pytest.mark.parametrize("key, file", [("client_cert", "client.pem"), ("client_key", "client.key")])
def test_a_client_certificate_that_vanishes_is_told_by_name(curlewd, origin, certs, tmp_path, key,
                                                            file):
    for name in ("client.pem", "client.key"):
        shutil.copy(certs / name, tmp_path / name)
    daemon = curlewd({"sessions": {"default": {
        "ca_file": str(certs / "ca.pem"), "client_cert": str(tmp_path / "client.pem"),
        "client_key": str(tmp_path / "client.key")}}})
    url = origin.url("/close", port="mtls")
    assert daemon.client.fetch(url)["status"] == 200
    (tmp_path / file).unlink()
    p = daemon.client.refused({"url": url}, 502, "tls_failed")
    assert p["detail"] == f"{key}, the file of the client certificate: No such file or directory"
    shutil.copy(certs / file, tmp_path / file)
    assert daemon.client.fetch(url)["status"] == 200


@pytest.mark.parametrize("fault", [empty, noise], ids=lambda f: f.__name__)
@pytest.mark.parametrize("file", ["client.pem", "client.key"])
def test_a_client_certificate_of_no_use_is_no_fault_of_the_origins(curlewd, origin, certs, tmp_path,
                                                                   file, fault):
    for name in ("client.pem", "client.key"):
        shutil.copy(certs / name, tmp_path / name)
    fault(tmp_path / file)
    daemon = curlewd({"sessions": {"default": {
        "ca_file": str(certs / "ca.pem"), "client_cert": str(tmp_path / "client.pem"),
        "client_key": str(tmp_path / "client.key")}}})
    daemon.client.refused({"url": origin.url("/hello", port="mtls")}, 502, "tls_failed")


def test_a_socket_that_was_removed_and_made_by_another_is_left_alone(curlewd):
    """Ours is gone; what stands there at our end is not ours to remove."""
    first = curlewd()
    first.socket.unlink()
    second = curlewd(directory=first.directory)
    first.stop()
    assert FastCgiClient(second.socket).ask("GET", "/healthz").status == 200
