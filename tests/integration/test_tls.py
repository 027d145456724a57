"""TLS: certificates are verified unless a request says otherwise; each session has its CAs."""

import json

import pytest

pytestmark = [pytest.mark.libcurl, pytest.mark.tls]


@pytest.fixture
def tls(curlewd, certs):
    """A daemon with a session for each kind of trust."""
    ca = str(certs / "ca.pem")

    def pair(name):
        return {"client_cert": str(certs / f"{name}.pem"), "client_key": str(certs / f"{name}.key")}

    return curlewd({"sessions": {
        "trusting": {"ca_file": ca},
        "wrong-ca": {"ca_file": str(certs / "other-ca.pem")},
        "careless": {"verify": False},
        "client": {"ca_file": ca, **pair("client")},
        "stranger": {"ca_file": ca, **pair("stranger")},
    }}).client


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "a.localhost"])
def test_a_certificate_of_the_sessions_ca_is_accepted(tls, origin, host):
    url = origin.url("/echo", host=host, port="https")
    assert json.loads(tls.fetch(url, session="trusting")["body"])["tls"] is True


@pytest.mark.parametrize("session", ["default", "wrong-ca"])
def test_an_unknown_issuer_is_refused(tls, origin, session):
    p = tls.refused({"url": origin.url(port="https"), "session": session}, 502, "tls_failed")
    assert p["curl_code"] == 60 and "certificate" in p["detail"].lower()


def test_a_certificate_of_another_host_is_refused(tls, origin):
    p = tls.refused({"url": origin.url(port="elsewhere"), "session": "trusting"}, 502,
                    "tls_failed")
    assert p["curl_code"] == 60


def test_verify_false_accepts_any_certificate(tls, origin):
    for port in ("https", "elsewhere"):
        assert tls.fetch(origin.url("/hello", port=port), verify=False)["status"] == 200
        assert tls.fetch(origin.url("/hello", port=port), session="careless")["status"] == 200


def test_a_request_may_be_stricter_than_its_session(tls, origin):
    tls.refused({"url": origin.url(port="https"), "session": "careless", "verify": True}, 502,
                "tls_failed")


def test_an_unverified_connection_serves_no_verified_fetch(tls, origin):
    url = origin.url("/hello", port="https")
    tls.fetch(url, verify=False)
    tls.refused({"url": url}, 502, "tls_failed")
    tls.fetch(url, session="trusting")
    tls.refused({"url": url, "session": "wrong-ca"}, 502, "tls_failed")


def test_a_client_certificate_is_shown(tls, origin):
    e = tls.fetch(origin.url("/echo", port="mtls"), session="client")
    assert json.loads(e["body"])["client_cert"] == "Curlew test client"


@pytest.mark.parametrize("session", ["trusting", "stranger"])
def test_without_a_good_client_certificate_the_origin_says_no(tls, origin, session):
    response = tls.post({"url": origin.url(port="mtls"), "session": session})
    assert response.status == 502 and response.json()["code"] in ("tls_failed",
                                                                  "recv_failed",
                                                                  "send_failed"), response


def test_a_client_certificates_connection_serves_no_other_session(tls, origin):
    url = origin.url("/echo", port="mtls")
    tls.fetch(url, session="client")
    assert tls.post({"url": url, "session": "trusting"}).status == 502


def test_plain_http_on_a_tls_port_and_the_reverse(tls, origin):
    plain_to_tls = origin.url(port="https").replace("https:", "http:")
    assert tls.post({"url": plain_to_tls}).status == 502
    tls.refused({"url": origin.url().replace("http:", "https:")}, 502, "tls_failed")
