"""Browsers that `impersonate` names, as of curl_cffi 0.17.

Which of them there are, the daemon's libcurl decides: ImpersonateError where it has none of that
name.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import List, Literal, Optional, TypedDict

DEFAULT_CHROME = "chrome152"
DEFAULT_EDGE = "edge101"
DEFAULT_SAFARI = "safari270"
DEFAULT_SAFARI_IOS = "safari270_ios"
DEFAULT_SAFARI_BETA = "safari270"
DEFAULT_SAFARI_IOS_BETA = "safari270_ios"
DEFAULT_CHROME_ANDROID = "chrome131_android"
DEFAULT_FIREFOX = "firefox155"
DEFAULT_TOR = "tor145"

REAL_TARGET_MAP = {
    "chrome": DEFAULT_CHROME,
    "edge": DEFAULT_EDGE,
    "safari": DEFAULT_SAFARI,
    "safari_ios": DEFAULT_SAFARI_IOS,
    "safari_beta": DEFAULT_SAFARI_BETA,
    "safari_ios_beta": DEFAULT_SAFARI_IOS_BETA,
    "chrome_android": DEFAULT_CHROME_ANDROID,
    "firefox": DEFAULT_FIREFOX,
    "tor": DEFAULT_TOR,
}


class BrowserType(str, Enum):
    """The targets; a member is also its name as text."""

    edge99 = "edge99"
    edge101 = "edge101"
    chrome99 = "chrome99"
    chrome100 = "chrome100"
    chrome101 = "chrome101"
    chrome104 = "chrome104"
    chrome107 = "chrome107"
    chrome110 = "chrome110"
    chrome116 = "chrome116"
    chrome119 = "chrome119"
    chrome120 = "chrome120"
    chrome123 = "chrome123"
    chrome124 = "chrome124"
    chrome131 = "chrome131"
    chrome133a = "chrome133a"
    chrome136 = "chrome136"
    chrome142 = "chrome142"
    chrome145 = "chrome145"
    chrome146 = "chrome146"
    chrome150 = "chrome150"
    chrome151 = "chrome151"
    chrome151_macos = "chrome151_macos"
    chrome152 = "chrome152"
    chrome152_macos = "chrome152_macos"
    chrome99_android = "chrome99_android"
    chrome131_android = "chrome131_android"
    safari153 = "safari153"
    safari155 = "safari155"
    safari170 = "safari170"
    safari172_ios = "safari172_ios"
    safari180 = "safari180"
    safari180_ios = "safari180_ios"
    safari184 = "safari184"
    safari184_ios = "safari184_ios"
    safari260 = "safari260"
    safari260_ios = "safari260_ios"
    safari2601 = "safari2601"
    safari270 = "safari270"
    safari270_ios = "safari270_ios"
    firefox133 = "firefox133"
    firefox135 = "firefox135"
    firefox144 = "firefox144"
    firefox147 = "firefox147"
    firefox153 = "firefox153"
    firefox154 = "firefox154"
    firefox155 = "firefox155"
    tor145 = "tor145"
    safari15_3 = "safari15_3"
    safari15_5 = "safari15_5"
    safari17_0 = "safari17_0"
    safari17_2_ios = "safari17_2_ios"
    safari18_0 = "safari18_0"
    safari18_0_ios = "safari18_0_ios"


BrowserTypeLiteral = Literal[
    "edge99",
    "edge101",
    "chrome99",
    "chrome100",
    "chrome101",
    "chrome104",
    "chrome107",
    "chrome110",
    "chrome116",
    "chrome119",
    "chrome120",
    "chrome123",
    "chrome124",
    "chrome131",
    "chrome133a",
    "chrome136",
    "chrome142",
    "chrome145",
    "chrome146",
    "chrome150",
    "chrome151",
    "chrome151_macos",
    "chrome152",
    "chrome152_macos",
    "chrome99_android",
    "chrome131_android",
    "safari153",
    "safari155",
    "safari170",
    "safari172_ios",
    "safari180",
    "safari180_ios",
    "safari184",
    "safari184_ios",
    "safari260",
    "safari2601",
    "safari260_ios",
    "safari270",
    "safari270_ios",
    "firefox133",
    "firefox135",
    "firefox144",
    "firefox147",
    "firefox153",
    "firefox154",
    "firefox155",
    "tor145",
    "chrome",
    "edge",
    "safari",
    "safari_ios",
    "safari_beta",
    "safari_ios_beta",
    "chrome_android",
    "firefox",
    "safari15_3",
    "safari15_5",
    "safari17_0",
    "safari17_2_ios",
    "safari18_0",
    "safari18_0_ios",
    "safari18_4",
    "safari18_4_ios",
]


def resolve_latest_browser_type(item: str) -> str:
    """The target that an alias such as "chrome" stood for in curl_cffi 0.17; others as they are.
    The daemon has its own, newest ones: it is sent the alias."""
    return REAL_TARGET_MAP.get(item, item)


@dataclass
class ExtraFingerprints:
    """Details of a fingerprint, for `extra_fp`. `tls_min_version` is a CurlSslVersion,
    `form_boundary` "webkit" or "firefox"; `split_cookies=True` is Unsupported."""

    tls_min_version: Optional[int] = None
    tls_grease: Optional[bool] = None
    tls_permute_extensions: Optional[bool] = None
    tls_cert_compression: Optional[Literal["zlib", "brotli"]] = None
    tls_signature_algorithms: Optional[List[str]] = None
    tls_delegated_credential: str = ""
    tls_record_size_limit: int = 0
    http2_stream_weight: Optional[int] = None
    http2_stream_exclusive: Optional[int] = None
    http2_no_priority: bool = False
    header_order: Optional[str] = None
    split_cookies: Optional[bool] = None
    form_boundary: Optional[bool] = None
    http3_sig_hash_algs: Optional[str] = None
    http3_tls_extension_order: Optional[str] = None
    quic_initial_packet_number: Optional[int] = None


class ExtraFpDict(TypedDict, total=False):
    """ExtraFingerprints as a dict."""

    tls_min_version: Optional[int]
    tls_grease: Optional[bool]
    tls_permute_extensions: Optional[bool]
    tls_cert_compression: Optional[Literal["zlib", "brotli"]]
    tls_signature_algorithms: Optional[List[str]]
    tls_delegated_credential: str
    tls_record_size_limit: int
    http2_stream_weight: Optional[int]
    http2_stream_exclusive: Optional[int]
    http2_no_priority: bool
    header_order: Optional[str]
    split_cookies: Optional[bool]
    form_boundary: Optional[bool]
    http3_sig_hash_algs: Optional[str]
    http3_tls_extension_order: Optional[str]
    quic_initial_packet_number: Optional[int]
