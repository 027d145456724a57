"""The request object's `fingerprint`, from curl_cffi's ja3, akamai, perk and extra_fp."""

from __future__ import annotations

from typing import Any, Callable, Dict

from ..const import CurlSslVersion
from .exceptions import Unsupported
from .impersonate import ExtraFingerprints

Keys = Dict[str, Any]

TLS_VERSIONS = {
    CurlSslVersion.TLSv1: "1.0",
    CurlSslVersion.TLSv1_0: "1.0",
    CurlSslVersion.TLSv1_1: "1.1",
    CurlSslVersion.TLSv1_2: "1.2",
    CurlSslVersion.TLSv1_3: "1.3",
}


def text_setter(name: str) -> Callable[[Keys, Any], None]:
    """The function of a parameter that is `fingerprint.NAME`, as it is. The daemon checks it."""

    def set_text(keys: Keys, value: Any) -> None:
        if not value:
            return
        if not isinstance(value, str):
            raise TypeError(f"{name} must be a string, not {type(value).__name__}")
        _set(keys, name, value)

    return set_text


def extra_fp(keys: Keys, value: Any) -> None:
    """An ExtraFingerprints, curl_cffi's too, or a dict. What is left at its default isn't sent, as
    in curl_cffi. Raises TypeError for an unknown name in a dict."""
    if not value:
        return
    if isinstance(value, dict):
        value = ExtraFingerprints(**value)
    extra = {name: convert(value) for name, convert in EXTRA.items()}
    if value.split_cookies:
        raise Unsupported(
            "extra_fp: split_cookies is not supported: the daemon sends the cookies in one header"
        )
    _set(keys, "extra", {name: v for name, v in extra.items() if v is not None})


def _set(keys: Keys, name: str, value: Any) -> None:
    """In a copy: the dict may be the session's, which other requests share."""
    keys["fingerprint"] = {**keys.get("fingerprint", {}), name: value}


def _tls_min_version(fp: Any) -> Any:
    version = fp.tls_min_version
    if version is None or version == CurlSslVersion.DEFAULT:
        return None
    if version not in TLS_VERSIONS:
        raise ValueError(f"extra_fp: tls_min_version must be a CurlSslVersion, not {version!r}")
    return TLS_VERSIONS[version]


def _same(name: str) -> Callable[[Any], Any]:
    """Sent unless it is None."""
    return lambda fp: getattr(fp, name)


def _given(name: str) -> Callable[[Any], Any]:
    """Sent unless it is empty, zero or False."""
    return lambda fp: getattr(fp, name) or None


def _flag(name: str) -> Callable[[Any], Any]:
    """Sent as true or false unless it is None."""

    def convert(fp: Any) -> Any:
        value = getattr(fp, name)
        return None if value is None else bool(value)

    return convert


EXTRA: Dict[str, Callable[[Any], Any]] = {
    "tls_min_version": _tls_min_version,
    "tls_grease": _flag("tls_grease"),
    "tls_permute_extensions": _flag("tls_permute_extensions"),
    "tls_cert_compression": _same("tls_cert_compression"),
    "tls_signature_algorithms": _given("tls_signature_algorithms"),
    "tls_delegated_credential": _given("tls_delegated_credential"),
    "tls_record_size_limit": _given("tls_record_size_limit"),
    "http2_stream_weight": _same("http2_stream_weight"),
    "http2_stream_exclusive": _flag("http2_stream_exclusive"),
    "http2_no_priority": _given("http2_no_priority"),
    "header_order": _given("header_order"),
    "form_boundary": _same("form_boundary"),
    "http3_sig_hash_algs": _same("http3_sig_hash_algs"),
    "http3_tls_extension_order": _same("http3_tls_extension_order"),
    "quic_initial_packet_number": _same("quic_initial_packet_number"),
}
