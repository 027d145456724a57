"""The arguments of httpx.HTTPTransport: what each does, and what is refused when it is made."""

import asyncio
import socket
import ssl
import threading

import pytest

from django_curlew.adapters._httpx_arguments import REQUEST_KEYS
from tests.support.certs import make_certs
from tests.support.procs import free_port
from tests.support.scripted_origin import Http2Origin, ScriptedOrigin

REFUSED = [
    ({"surprise": 1}, TypeError, "surprise"),
    ({"follow_redirects": True}, TypeError, "follow_redirects"),
    ({"timeout": 3}, TypeError, "timeout"),
    ({"headers": {}}, TypeError, "headers"),
    ({"cert": "/client.pem"}, ValueError, "client_cert"),
    ({"uds": "/x.sock"}, ValueError, "uds"),
    ({"local_address": "127.0.0.1"}, ValueError, "interface"),
    ({"verify": 3}, TypeError, "verify"),
    ({"verify": "/nowhere.pem"}, OSError, "nowhere"),
    ({"retries": "3"}, TypeError, "retries"),
    ({"retries": True}, TypeError, "retries"),
    ({"retries": -1}, ValueError, "retries"),
    ({"retries": 101}, ValueError, "retries"),
    ({"limits": 100}, TypeError, "limits"),
    ({"proxy": "gopher://a.example"}, ValueError, "gopher"),
    ({"http1": False}, ValueError, "http1"),
    ({"http2": True, "http_version": "3"}, TypeError, "http_version"),
]


@pytest.mark.parametrize("arguments, raised, words", REFUSED, ids=repr)
def test_what_is_refused_when_it_is_made(variant, arguments, raised, words):
    with pytest.raises(raised, match=words):
        variant.transport(variant.daemon, **arguments)


def test_limits_of_nothing_are_refused(variant):
    with pytest.raises(ValueError, match="max_connections"):
        variant.transport(variant.daemon, limits=variant.package.Limits(max_connections=0))


def test_what_the_package_gives_its_own_transport_is_accepted(variant, origin):
    client = variant.client(
        verify=True,
        cert=None,
        trust_env=True,
        http1=True,
        http2=False,
        limits=variant.package.Limits(max_connections=100, max_keepalive_connections=20),
        proxy=None,
        uds=None,
        local_address=None,
        retries=100,
        socket_options=[(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)],
    )
    assert client.get(origin.url("/hello")).text == "hello\n"


def test_every_key_is_one_of_the_daemons(variant, origin):
    values = {"max_body_bytes": 99, "max_recv_speed": 1 << 20, "session": "jar", "tag": "t"}
    values.update({"coalesce": True, "default_headers": True, "http_version": "1.1"})
    values["proxy_auth"] = ["u", "p"]
    needing_more = {"ca_pem", "impersonate"}  # certificates, and a libcurl that has browsers
    assert set(values) | needing_more == set(REQUEST_KEYS)
    assert variant.client(**values).get(origin.url("/hello")).text == "hello\n"


def test_a_key_of_the_request_object(variant, origin):
    response = variant.client(session="jar", tag="t").get(origin.url("/hello"))
    assert response.extensions["curlew"]["session"] == "jar"
    assert response.extensions["curlew"]["tag"] == "t"


# -- verify ---------------------------------------------------------------------------------------


def context_of(how, certs):
    """(an SSLContext, does it trust the origin of the tests?)"""
    if how == "the package's default":
        return None, False
    context = ssl.create_default_context()
    if how == "the default":
        return context, False
    if how == "the default and one more":
        context.load_verify_locations(certs / "ca.pem")
        return context, True
    if how == "one":
        return ssl.create_default_context(cafile=certs / "ca.pem"), True
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context, True


CONTEXTS = ["the package's default", "the default", "the default and one more", "one", "none"]


@pytest.mark.parametrize("how", CONTEXTS)
def test_verify_is_a_context(variant, origin, certs, how):
    context, trusts = context_of(how, certs)
    context = context or variant.package.create_ssl_context()
    client = variant.client(session="jar", verify=context)  # without the tests' authority
    if trusts:
        assert client.get(origin.url("/hello", port="https")).text == "hello\n"
    else:
        with pytest.raises(variant.package.ConnectError, match="tls_failed"):
            client.get(origin.url("/hello", port="https"))


def test_a_default_context_is_the_daemons_own_trust(variant, origin):
    """`default` trusts the tests' authority by its ca_file, which no context has."""
    client = variant.client(verify=variant.package.create_ssl_context())
    assert client.get(origin.url("/hello", port="https")).text == "hello\n"


def test_a_context_that_does_not_check_the_name_is_refused(variant):
    context = ssl.create_default_context()
    context.check_hostname = False
    with pytest.raises(ValueError, match="name"):
        variant.transport(variant.daemon, verify=context)


def test_verify_is_a_path(variant, origin, certs):
    url = origin.url("/hello", port="https")
    assert variant.client(session="jar", verify=str(certs / "ca.pem")).get(url).text == "hello\n"


def test_verify_is_the_path_of_another_authority(variant, origin, tmp_path):
    make_certs(tmp_path)
    client = variant.client(session="jar", verify=str(tmp_path / "ca.pem"))
    with pytest.raises(variant.package.ConnectError, match="tls_failed"):
        client.get(origin.url("/hello", port="https"))


def test_verify_is_false(variant, origin):
    url = origin.url("/hello", port="https")
    assert variant.client(session="jar", verify=False).get(url).text == "hello\n"


# -- versions -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments, version",
    [
        ({}, "HTTP/1.1"),
        ({"http2": False}, "HTTP/1.1"),
        ({"http2": True}, "HTTP/2"),
        ({"http1": False, "http2": True}, "HTTP/2"),
        ({"http_version": "2"}, "HTTP/2"),
    ],
    ids=repr,
)
def test_versions_over_tls(variant, certs, arguments, version):
    def over_http1(request, connection):
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    def over_http2(request, connection, stream):
        connection.respond(stream)

    origin = Http2Origin(over_http2, certs)
    if version == "HTTP/1.1":
        origin = ScriptedOrigin(over_http1, certs, alpn=("h2", "http/1.1"))
    with origin:
        assert variant.client(**arguments).get(origin.url("/")).http_version == version


def test_http2_asks_for_no_upgrade_without_tls(variant, origin):
    echo = variant.client(http2=True).get(origin.url("/echo")).json()
    assert "upgrade" not in [name.lower() for name, _ in echo["headers"]]


def test_http2_alone_needs_no_tls(variant):
    def script(request, connection, stream):
        connection.respond(stream)

    with Http2Origin(script) as origin:
        response = variant.client(http1=False, http2=True).get(origin.url("/"))
    assert (response.http_version, response.text) == ("HTTP/2", "ok")


# -- retries --------------------------------------------------------------------------------------


def test_what_cannot_connect_is_repeated(variant):
    """The origin listens only after the first attempt has failed."""
    port = free_port()
    origins = []

    def ok(request, connection):
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    timer = threading.Timer(0.4, lambda: origins.append(ScriptedOrigin(ok, port=port)))
    timer.start()
    try:
        response = variant.client(retries=9).post(f"http://127.0.0.1:{port}/", content=b"x")
        assert response.status_code == 200
    finally:
        timer.join()
        origins[0].stop()


def test_what_was_sent_is_not_repeated(variant):
    with ScriptedOrigin(lambda request, connection: connection.close()) as origin:
        with pytest.raises(variant.package.RemoteProtocolError):
            variant.client(retries=5).get(origin.url("/"))
        assert len(origin.requests) == 1


def test_a_bad_status_is_not_repeated(variant, origin):
    assert variant.client(retries=5).get(origin.url("/status/503")).status_code == 503
    assert origin.stats()["requests"] == 1


# -- proxies --------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["text", "URL", "Proxy", "Proxy with auth"])
def test_a_proxy(variant, origin, proxy, form):
    port, process = proxy(user="u", password="p")
    url = f"http://u:p@127.0.0.1:{port}"
    package = variant.package
    given = {
        "text": url,
        "URL": package.URL(url),
        "Proxy": package.Proxy(url),
        "Proxy with auth": package.Proxy(f"http://127.0.0.1:{port}", auth=("u", "p")),
    }[form]
    assert variant.client(proxy=given).get(origin.url("/hello")).text == "hello\n"
    assert "/hello" in process.out


def test_what_cannot_cross_of_a_proxy(variant):
    url = "http://127.0.0.1:3128"
    for options in ({"headers": {"X-A": "1"}}, {"ssl_context": ssl.create_default_context()}):
        with pytest.raises(ValueError, match="proxy"):
            variant.transport(variant.daemon, proxy=variant.package.Proxy(url, **options))


# -- limits ---------------------------------------------------------------------------------------


def test_the_last_connection_waits_for_the_pool_timeout(variant, origin):
    package = variant.package
    transport = variant.transport(variant.daemon, limits=package.Limits(max_connections=2))
    timeout = package.Timeout(5, pool=0.2)
    url = origin.url("/pour?pool")

    async def use():
        async with package.AsyncClient(transport=transport, timeout=timeout) as client:
            async with client.stream("GET", url), client.stream("GET", url):
                with pytest.raises(package.PoolTimeout):
                    await client.get(origin.url("/hello"))
            assert (await client.get(origin.url("/hello"))).text == "hello\n"

    if variant.is_async:
        asyncio.run(use())
        return
    client = package.Client(transport=transport, timeout=timeout)
    with client.stream("GET", url), client.stream("GET", url):
        with pytest.raises(package.PoolTimeout):
            client.get(origin.url("/hello"))
    assert client.get(origin.url("/hello")).text == "hello\n"


def test_a_failure_gives_its_place_back(variant, origin):
    client = variant.client(limits=variant.package.Limits(max_connections=1))
    for _ in range(3):
        with pytest.raises(variant.package.ConnectError):
            client.get(f"http://127.0.0.1:{free_port()}/", timeout=2)
    assert client.get(origin.url("/hello"), timeout=2).text == "hello\n"


def test_a_dropped_response_gives_its_place_back(variant, origin):
    package = variant.package
    transport = variant.transport(variant.daemon, limits=package.Limits(max_connections=1))
    request = package.Request(
        "GET", origin.url("/hello"), extensions={"timeout": {"pool": 1, "read": 5}}
    )

    async def use():
        for _ in range(3):
            await transport.handle_async_request(request)  # dropped

    if variant.is_async:
        asyncio.run(use())
    else:
        for _ in range(3):
            transport.handle_request(request)
