"""Proxies in all the ways that requests takes them, and files of certificates."""

import os
import shutil

import pytest
import requests

from django_curlew import daemon
from django_curlew.adapters.requests import CurlewAdapter


@pytest.fixture
def plain(monkeypatch):
    """No proxy and no bundle in the environment."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name.endswith("_CA_BUNDLE"):
            monkeypatch.delenv(name)
    return monkeypatch


@pytest.fixture
def resolving(curlewd):
    """session(arguments…): by a daemon that lets proxies resolve names."""
    own = curlewd({"sessions": {"default": {"proxy_resolves": True}}})

    def make(**arguments):
        session = requests.Session()
        adapter = CurlewAdapter(daemon.Daemon(f"fcgi+unix:{own.socket}"), **arguments)
        session.mount("http://", adapter)
        session.mount("https://", adapter)
        return session

    return make


def asked(process):
    """How often the proxy was asked for something, and what for."""
    return process.out.splitlines()[1:]


FORMS = {
    "with a scheme": {"http": "http://{}"},
    "without a scheme": {"http": "{}"},
    "with a slash": {"http": "http://{}/"},
    "for all schemes": {"all": "{}"},
    "for the host": {"http://127.0.0.1": "{}", "http": "127.0.0.1:1"},
    "for another host": {"http://127.0.0.2": "{}"},
    "for https only": {"https": "{}"},
    "none": {"http": ""},
}


@pytest.mark.parametrize("form", FORMS)
def test_proxies_of_a_request(plain, session, origin, proxy, form):
    port, process = proxy()
    proxies = {n: value.format(f"127.0.0.1:{port}") for n, value in FORMS[form].items()}
    for each in (session(), requests.Session()):
        plain.delenv("NO_PROXY", raising=False)
        assert each.get(origin.url("/hello"), proxies=proxies).text == "hello\n"
    ours, alone = asked(process)[::2], asked(process)[1::2]
    assert ours == alone and (form.endswith(("other host", "https only", "none")) or ours)


def test_proxies_of_the_environment(plain, session, origin, proxy):
    used = session()
    port, process = proxy()
    for no_proxy, count in ((None, 1), ("127.0.0.1", 1), ("a.example", 2)):
        plain.setenv("HTTP_PROXY", f"127.0.0.1:{port}")
        if no_proxy is None:
            plain.delenv("NO_PROXY", raising=False)
        else:
            plain.setenv("NO_PROXY", no_proxy)
        assert used.get(origin.url("/hello")).ok
        assert len(asked(process)) == count
    used.trust_env = False
    assert used.get(origin.url("/hello")).ok and len(asked(process)) == 2


@pytest.mark.parametrize("user, password", [("u", "p"), ("a@b", "p:%/ü")])
def test_credentials_of_a_proxy(plain, session, origin, proxy, user, password):
    used = session()
    plain.delenv("NO_PROXY", raising=False)
    port, process = proxy(user=user, password=password)
    quoted = ":".join(requests.utils.quote(word, safe="") for word in (user, password))
    for url in (origin.url("/hello"), origin.url("/hello", port="https")):
        proxies = {"all": f"http://{quoted}@127.0.0.1:{port}"}
        assert used.get(url, proxies=proxies).text == "hello\n"
    assert len(asked(process)) == 2


@pytest.mark.parametrize("scheme", ["socks5", "socks5h", "socks4", "socks4a"])
def test_socks_needs_no_package(plain, resolving, origin, proxy, scheme):
    port, process = proxy()
    url = f"{scheme}://127.0.0.1:{port}"
    assert resolving().get(origin.url("/hello"), proxies={"http": url}).text == "hello\n"
    assert asked(process)[0].startswith(scheme[:6])
    assert resolving(proxy=url).get(origin.url("/hello", "localhost")).text == "hello\n"
    assert "localhost" in asked(process)[-1]


def test_a_proxy_of_the_request_wins(plain, session, origin, proxy):
    used = session(proxy="http://127.0.0.1:9")
    plain.delenv("NO_PROXY", raising=False)
    port, process = proxy()
    assert used.get(origin.url("/hello"), proxies={"http": f"127.0.0.1:{port}"}).ok
    with pytest.raises(requests.exceptions.ProxyError):
        used.get(origin.url("/hello"))


@pytest.mark.parametrize("url", ["ftp://127.0.0.1:1", "http://127.0.0.1:99999", "http://["])
def test_a_proxy_that_cannot_be_used_is_invalid(plain, session, origin, url):
    for each in session(), requests.Session():
        with pytest.raises(requests.exceptions.InvalidURL):
            each.get(origin.url("/hello"), proxies={"http": url})


def test_a_proxy_without_a_host_is_invalid(plain, session, origin):
    used = session()
    plain.delenv("NO_PROXY", raising=False)
    for each in (used, requests.Session()):
        with pytest.raises(requests.exceptions.InvalidProxyURL):
            each.get(origin.url("/"), proxies={"http": "http:///"})


# -- certificates --------------------------------------------------------------------------------


@pytest.fixture
def secret(origin):
    return origin.url("/hello", port="https")


@pytest.fixture
def strange(session):
    """A session of the daemon's without the tests' authority."""
    return session(session="jar")


def test_a_file_of_certificates(plain, strange, secret, certs):
    for _ in range(2):
        assert strange.get(secret, verify=str(certs / "ca.pem")).text == "hello\n"
    with pytest.raises(requests.exceptions.SSLError, match="tls_failed"):
        strange.get(secret, verify=str(certs / "other-ca.pem"))
    with pytest.raises(requests.exceptions.SSLError):
        strange.get(secret)


def test_a_directory_of_certificates(plain, strange, secret, certs, tmp_path):
    shutil.copy(certs / "ca.pem", tmp_path / "one.pem")
    assert strange.get(secret, verify=str(tmp_path)).text == "hello\n"


def test_a_file_without_certificates(plain, strange, secret, tmp_path):
    path = tmp_path / "empty.pem"
    path.write_text("nothing")
    with pytest.raises(requests.exceptions.SSLError):
        strange.get(secret, verify=str(path))


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_the_environments_bundle(plain, strange, secret, certs, name):
    plain.setenv(name, str(certs / "ca.pem"))
    assert strange.get(secret).text == "hello\n"
    strange.trust_env = False
    with pytest.raises(requests.exceptions.SSLError):
        strange.get(secret)


def test_certifis_bundle_is_the_daemons(plain, session, secret):
    assert session().get(secret, verify=requests.certs.where()).ok  # the session's ca_file
    assert session().get(secret).ok


def test_the_adapters_own_certificates(plain, session, secret, certs):
    pem = (certs / "ca.pem").read_text()
    assert session(session="jar", ca_pem=pem).get(secret).ok
    assert session(session="jar", verify=False).get(secret).ok
    with pytest.raises(requests.exceptions.SSLError):
        session(session="jar", verify=False).get(secret, verify=str(certs / "other-ca.pem"))
