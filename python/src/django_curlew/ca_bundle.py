"""The `verify` of Python's HTTP clients as keys of the request object.

    ca_bundle.keys(True)                    {}
    ca_bundle.keys(False)                   {"verify": False}
    ca_bundle.keys("/etc/my-ca.pem")        {"verify": True, "ca_pem": "sha256:…"}

A file's certificates have to cross to the daemon once. So a request names them by their SHA-256;
a daemon that has not seen them yet, or not for long, answers `unknown_ca`, and the request is sent
again with all of them:

    try:
        return send(request_keys)
    except FetchError as err:
        if not ca_bundle.is_wanted(err.code, request_keys):
            raise
        return send(ca_bundle.in_full(request_keys))

Send a request that can't be repeated, as its body is a stream, with `in_full` at once.

The bundle of the operating system, and certifi's, are what the daemon trusts anyway: their paths
are True.
"""

from __future__ import annotations

import errno
import functools
import hashlib
import importlib
import os
import re
import ssl
import sys
from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Optional, Tuple

Keys = Dict[str, Any]

KEY = "ca_pem"
UNKNOWN = "unknown_ca"  # the daemon's code
HASH = "sha256:"
KEPT = 64  # bundles, as in the daemon

# Where systems have the bundle that the daemon's libcurl uses, or a copy of it.
SYSTEM_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/ssl/certs/ca-bundle.crt",
    "/etc/ssl/certs",
    "/etc/ssl/cert.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/tls/certs",
    "/etc/pki/tls/cert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/usr/local/share/certs/ca-root-nss.crt",
    "/usr/local/etc/ssl/cert.pem",
    "/opt/homebrew/etc/openssl@3/cert.pem",
)
CERTIFI = ("certifi", "pip._vendor.certifi")  # modules with where()
FILES = re.compile(r"\.(pem|crt|cer)$|^[0-9a-f]{8}\.[0-9]+$")  # of a directory; c_rehash's, too
CERTIFICATE = re.compile(
    rb"-----BEGIN ((?:TRUSTED |X509 )?CERTIFICATE)-----\s(.*?)-----END \1-----", re.DOTALL
)

Stamp = Tuple[Any, ...]


class Bundle(NamedTuple):
    """The certificates of a file or directory."""

    stamp: Stamp  # differs once a file has changed
    name: str  # "sha256:…"
    pem: str


_by_path: Dict[str, Bundle] = {}  # oldest first
_by_name: Dict[str, str] = {}  # likewise


def keys(verify: Any) -> Keys:
    """The keys for `verify`: a bool, None (which is True), or the path of a file or directory with
    certificates, which is read again once it has changed.

    Raises OSError, as requests does, for a path that can't be read; ssl.SSLError, which is one, if
    there is no certificate in it; TypeError for an SSLContext and anything else.
    """
    if verify is None or verify is True:
        return {}
    if verify is False:
        return {"verify": False}
    if not isinstance(verify, (str, bytes, os.PathLike)):
        raise TypeError(f"verify must be True, False or a path, not {type(verify).__name__}")
    path = os.fsdecode(verify)
    if is_default(path):
        return {"verify": True}
    bundle = _read(path)
    return {"verify": True, KEY: bundle.name}


def is_wanted(code: Optional[str], request_keys: Keys) -> bool:
    """Has the daemon refused the request with `code` only as it lacks the certificates?"""
    return code == UNKNOWN and request_keys.get(KEY) in _by_name


def in_full(request_keys: Keys) -> Keys:
    """The same keys with the certificates themselves in place of their SHA-256."""
    pem = _by_name.get(request_keys.get(KEY, ""))
    return request_keys if pem is None else {**request_keys, KEY: pem}


def from_pem(pem: str) -> Keys:
    """The keys for the certificates of a text, such as pem_of() returns."""
    certificates = b"".join(_certificates(pem.encode("utf-8", "replace")))
    if not certificates:
        raise ssl.SSLError("verify: there is no certificate in the text")
    return {"verify": True, KEY: _remember(certificates.decode("ascii"))}


def pem_of(context: ssl.SSLContext) -> str:
    """The certificates that a context trusts, as text. Those of a directory (`capath`) are not
    among them, unless a connection has needed them: OpenSSL reads each when it is looked for."""
    certificates = context.get_ca_certs(binary_form=True)
    return "".join(ssl.DER_cert_to_PEM_cert(each) for each in certificates)


def is_default(path: str) -> bool:
    """Is it the path of the system's bundle, or of certifi's?"""
    if path in SYSTEM_BUNDLES:
        return True
    try:
        found = os.stat(path)
    except OSError:
        return False
    return _leads_to_default(path, found.st_dev, found.st_ino)


@functools.lru_cache(maxsize=256)
def _leads_to_default(path: str, device: int, inode: int) -> bool:
    """Asked again once another file is at `path`."""
    real = os.path.realpath(path)
    return any(real == os.path.realpath(each) for each in default_bundles())


def default_bundles() -> Iterator[str]:
    yield from SYSTEM_BUNDLES
    yield ssl.get_default_verify_paths().openssl_cafile  # compiled in; `cafile` may be the user's
    for name in CERTIFI:
        # pip's is nobody's but pip's: don't import it only to ask.
        module = sys.modules.get(name) if "." in name else _imported(name)
        if module is not None:
            yield module.where()


def _imported(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


# -- reading --------------------------------------------------------------------------------------


def _read(path: str) -> Bundle:
    files = _files(path)
    stamp = tuple(_stamp(each) for each in files)
    bundle = _by_path.get(path)
    if bundle is None or bundle.stamp != stamp or bundle.name not in _by_name:
        pem = _load(path, files)
        bundle = Bundle(stamp, _remember(pem), pem)
        _by_path.pop(path, None)
        _by_path[path] = bundle
        _forget_oldest(_by_path)
    return bundle


def _files(path: str) -> List[str]:
    if not os.path.isdir(path):
        if not os.path.exists(path):
            raise OSError(
                errno.ENOENT,
                "Could not find a suitable TLS CA certificate bundle, invalid path",
                path,
            )
        return [path]
    names = sorted(name for name in os.listdir(path) if FILES.search(name))
    return [os.path.join(path, name) for name in names]


def _stamp(path: str) -> Stamp:
    found = os.stat(path)
    return path, found.st_ino, found.st_mtime_ns, found.st_size


def _load(path: str, files: Iterable[str]) -> str:
    """The certificates alone, each once: no private key that stands beside them, and no comment,
    which may be in any encoding."""
    certificates: Dict[bytes, None] = {}
    for each in files:
        with open(each, "rb") as file:
            certificates.update(dict.fromkeys(_certificates(file.read())))
    if not certificates:
        raise ssl.SSLError(f"verify: there is no certificate in {path}")
    return b"".join(certificates).decode("ascii")


def _certificates(text: bytes) -> Iterator[bytes]:
    for label, body in CERTIFICATE.findall(text):
        lines = b"\n".join(body.split())
        if lines.isascii():
            yield b"-----BEGIN %b-----\n%b\n-----END %b-----\n" % (label, lines, label)


def _remember(pem: str) -> str:
    name = HASH + hashlib.sha256(pem.encode("ascii")).hexdigest()
    _by_name.pop(name, None)
    _by_name[name] = pem
    _forget_oldest(_by_name)
    return name


def _forget_oldest(kept: Dict[str, Any]) -> None:
    while len(kept) > KEPT:
        try:
            del kept[next(iter(kept))]
        except (KeyError, RuntimeError, StopIteration):
            return  # another thread was faster
