"""ca_bundle: what of `verify=` crosses to the daemon, and when a file is read again."""

import hashlib
import os
import shutil
import ssl
import threading

import certifi
import pytest

from django_curlew import ca_bundle


@pytest.fixture
def pem(certs, tmp_path):
    """A file of the caller's own with one certificate."""
    return str(shutil.copy(certs / "ca.pem", tmp_path / "own.pem"))


def text_of(request_keys):
    return ca_bundle.in_full(request_keys)["ca_pem"]


@pytest.mark.parametrize("verify, keys", [
    (True, {}), (None, {}), (False, {"verify": False}), (certifi.where(), {"verify": True}),
    ("/etc/ssl/certs/ca-certificates.crt", {"verify": True}), ("/etc/ssl/certs", {"verify": True}),
    (b"/etc/ssl/certs/ca-certificates.crt", {"verify": True})])
def test_what_the_daemon_trusts_anyway_needs_no_certificates(verify, keys):
    assert ca_bundle.keys(verify) == keys


def test_another_path_of_the_same_bundle_is_it_too(tmp_path):
    link = tmp_path / "link.pem"
    link.symlink_to(certifi.where())
    assert ca_bundle.keys(link) == {"verify": True}
    link.unlink()
    shutil.copy(certifi.where(), link)  # an equal file may change for itself
    assert ca_bundle.keys(link)["ca_pem"].startswith("sha256:")


def test_the_environment_does_not_make_a_bundle_the_daemons(pem, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", pem)
    assert "ca_pem" in ca_bundle.keys(pem)


def test_a_file_is_named_by_its_hash_and_sent_in_full_if_the_daemon_asks(pem, certs):
    keys = ca_bundle.keys(pem)
    full = ca_bundle.in_full(keys)
    assert full == {"verify": True, "ca_pem": (certs / "ca.pem").read_text()}
    digest = hashlib.sha256(full["ca_pem"].encode()).hexdigest()
    assert keys == {"verify": True, "ca_pem": f"sha256:{digest}"}
    assert ca_bundle.is_wanted("unknown_ca", keys)
    assert not ca_bundle.is_wanted("tls_failed", keys)
    assert not ca_bundle.is_wanted("unknown_ca", full)  # it was sent, and a loop has an end
    assert not ca_bundle.is_wanted("unknown_ca", {"ca_pem": "sha256:" + "0" * 64})
    assert ca_bundle.in_full({"url": "http://a/"}) == {"url": "http://a/"}


def test_certificates_alone_are_sent(pem, certs):
    """Neither a private key that stands in the file, nor a comment in any encoding."""
    ca = (certs / "ca.pem").read_bytes()
    key, with_crlf = (certs / "ca.key").read_bytes(), ca.replace(b"\n", b"\r\n")
    with open(pem, "wb") as file:
        file.write(b"# \xe9\n" + key + with_crlf + b"tail" + ca)
    assert text_of(ca_bundle.keys(pem)) == ca.decode()


def test_a_directory_has_its_certificates_once_each(certs, tmp_path):
    for name in ("ca.pem", "other-ca.pem"):
        shutil.copy(certs / name, tmp_path / name)
    shutil.copy(certs / "ca.pem", tmp_path / "0a1b2c3d.0")
    shutil.copy(certs / "stranger.pem", tmp_path / "README")
    expected = (certs / "ca.pem").read_text() + (certs / "other-ca.pem").read_text()
    assert text_of(ca_bundle.keys(tmp_path)) == expected
    (tmp_path / "other-ca.pem").unlink()
    assert text_of(ca_bundle.keys(tmp_path)) == (certs / "ca.pem").read_text()


def test_a_file_that_has_changed_is_read_again(pem, certs):
    before = ca_bundle.keys(pem)
    shutil.copy(certs / "other-ca.pem", pem)
    after = ca_bundle.keys(pem)
    assert text_of(after) == (certs / "other-ca.pem").read_text() != text_of(before)


def test_a_file_that_has_not_is_not_read(pem, monkeypatch):
    keys = ca_bundle.keys(pem)
    monkeypatch.setattr("builtins.open", None)
    assert ca_bundle.keys(pem) == keys


def test_what_can_not_be_read_is_an_os_error(tmp_path):
    with pytest.raises(OSError, match="Could not find a suitable TLS CA certificate bundle"):
        ca_bundle.keys(str(tmp_path / "missing.pem"))
    empty = tmp_path / "empty.pem"
    empty.write_text("-----BEGIN CERTIFICATE-----\n\xe4\n-----END CERTIFICATE-----\n")
    for path in (empty, tmp_path):
        with pytest.raises(ssl.SSLError, match="no certificate in"):
            ca_bundle.keys(path)


@pytest.mark.parametrize("verify", [1, [], ssl.create_default_context()])
def test_anything_else_is_a_type_error(verify):
    with pytest.raises(TypeError, match="must be True, False or a path"):
        ca_bundle.keys(verify)


def test_a_context_has_its_certificates(certs):
    context = ssl.create_default_context(cafile=str(certs / "ca.pem"))
    keys = ca_bundle.from_pem(ca_bundle.pem_of(context))
    mine = ssl.PEM_cert_to_DER_cert(text_of(keys))
    assert mine == ssl.PEM_cert_to_DER_cert((certs / "ca.pem").read_text())
    with pytest.raises(ssl.SSLError):
        ca_bundle.from_pem(ca_bundle.pem_of(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)))


def numbered(n):
    body = ("%04d" % n) * 16
    return f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"


def test_so_many_bundles_are_kept():
    first = ca_bundle.from_pem(numbered(0))
    for n in range(1, ca_bundle.KEPT):
        ca_bundle.from_pem(numbered(n))
    assert ca_bundle.is_wanted("unknown_ca", first)
    ca_bundle.from_pem(numbered(ca_bundle.KEPT))
    assert not ca_bundle.is_wanted("unknown_ca", first)


def test_threads_may_read_at_once(tmp_path):
    paths = [tmp_path / f"{n}.pem" for n in range(100)]
    for n, path in enumerate(paths):
        path.write_text(numbered(n))
    failures = []

    def read():
        for path in paths:
            keys = ca_bundle.keys(os.fspath(path))
            if not keys["ca_pem"].startswith("sha256:"):
                failures.append(keys)

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
