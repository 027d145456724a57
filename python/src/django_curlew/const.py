"""libcurl's constants, with curl_cffi's names."""

from __future__ import annotations

from enum import IntEnum

from .curl_option import CurlInfo, CurlMOpt, CurlOpt

__all__ = [
    "CurlECode",
    "CurlFollow",
    "CurlHttpVersion",
    "CurlInfo",
    "CurlIpResolve",
    "CurlLockAccess",
    "CurlLockData",
    "CurlMOpt",
    "CurlOpt",
    "CurlProxyType",
    "CurlShareCode",
    "CurlShareOpt",
    "CurlSslVersion",
    "CurlWsFlag",
    "CurlWsOption",
]


class CurlHttpVersion(IntEnum):
    """CURL_HTTP_VERSION_*: for `http_version`, and the value of Response.http_version."""

    NONE = 0
    V1_0 = 1
    V1_1 = 2
    V2_0 = 3
    V2TLS = 4
    V2_PRIOR_KNOWLEDGE = 5
    V3 = 30
    V3ONLY = 31


class CurlFollow(IntEnum):
    """For `allow_redirects`. SAFE follows redirects to public addresses only, whatever the daemon's
    egress guard allows. ALL and OBEYCODE are the same: the guard checks every hop, and the status
    decides about the method (RFC 9110 15.4). FIRSTONLY is Unsupported."""

    ALL = 1
    OBEYCODE = 2
    FIRSTONLY = 3
    SAFE = 4


class CurlECode(IntEnum):
    """CURLE_*: the `code` of an exception, if libcurl failed."""

    OK = 0
    UNSUPPORTED_PROTOCOL = 1
    FAILED_INIT = 2
    URL_MALFORMAT = 3
    NOT_BUILT_IN = 4
    COULDNT_RESOLVE_PROXY = 5
    COULDNT_RESOLVE_HOST = 6
    COULDNT_CONNECT = 7
    WEIRD_SERVER_REPLY = 8
    REMOTE_ACCESS_DENIED = 9
    FTP_ACCEPT_FAILED = 10
    FTP_WEIRD_PASS_REPLY = 11
    FTP_ACCEPT_TIMEOUT = 12
    FTP_WEIRD_PASV_REPLY = 13
    FTP_WEIRD_227_FORMAT = 14
    FTP_CANT_GET_HOST = 15
    HTTP2 = 16
    FTP_COULDNT_SET_TYPE = 17
    PARTIAL_FILE = 18
    FTP_COULDNT_RETR_FILE = 19
    QUOTE_ERROR = 21
    HTTP_RETURNED_ERROR = 22
    WRITE_ERROR = 23
    UPLOAD_FAILED = 25
    READ_ERROR = 26
    OUT_OF_MEMORY = 27
    OPERATION_TIMEDOUT = 28
    FTP_PORT_FAILED = 30
    FTP_COULDNT_USE_REST = 31
    RANGE_ERROR = 33
    HTTP_POST_ERROR = 34
    SSL_CONNECT_ERROR = 35
    BAD_DOWNLOAD_RESUME = 36
    FILE_COULDNT_READ_FILE = 37
    LDAP_CANNOT_BIND = 38
    LDAP_SEARCH_FAILED = 39
    FUNCTION_NOT_FOUND = 41
    ABORTED_BY_CALLBACK = 42
    BAD_FUNCTION_ARGUMENT = 43
    INTERFACE_FAILED = 45
    TOO_MANY_REDIRECTS = 47
    UNKNOWN_OPTION = 48
    SETOPT_OPTION_SYNTAX = 49
    GOT_NOTHING = 52
    SSL_ENGINE_NOTFOUND = 53
    SSL_ENGINE_SETFAILED = 54
    SEND_ERROR = 55
    RECV_ERROR = 56
    SSL_CERTPROBLEM = 58
    SSL_CIPHER = 59
    PEER_FAILED_VERIFICATION = 60
    BAD_CONTENT_ENCODING = 61
    FILESIZE_EXCEEDED = 63
    USE_SSL_FAILED = 64
    SEND_FAIL_REWIND = 65
    SSL_ENGINE_INITFAILED = 66
    LOGIN_DENIED = 67
    TFTP_NOTFOUND = 68
    TFTP_PERM = 69
    REMOTE_DISK_FULL = 70
    TFTP_ILLEGAL = 71
    TFTP_UNKNOWNID = 72
    REMOTE_FILE_EXISTS = 73
    TFTP_NOSUCHUSER = 74
    SSL_CACERT_BADFILE = 77
    REMOTE_FILE_NOT_FOUND = 78
    SSH = 79
    SSL_SHUTDOWN_FAILED = 80
    AGAIN = 81
    SSL_CRL_BADFILE = 82
    SSL_ISSUER_ERROR = 83
    FTP_PRET_FAILED = 84
    RTSP_CSEQ_ERROR = 85
    RTSP_SESSION_ERROR = 86
    FTP_BAD_FILE_LIST = 87
    CHUNK_FAILED = 88
    NO_CONNECTION_AVAILABLE = 89
    SSL_PINNEDPUBKEYNOTMATCH = 90
    SSL_INVALIDCERTSTATUS = 91
    HTTP2_STREAM = 92
    RECURSIVE_API_CALL = 93
    AUTH_ERROR = 94
    HTTP3 = 95
    QUIC_CONNECT_ERROR = 96
    PROXY = 97
    SSL_CLIENTCERT = 98
    UNRECOVERABLE_POLL = 99
    TOO_LARGE = 100
    ECH_REQUIRED = 101


class CurlProxyType(IntEnum):
    """CURLPROXY_*."""

    HTTP = 0
    HTTP_1_0 = 1
    HTTPS = 2
    HTTPS2 = 3
    SOCKS4 = 4
    SOCKS5 = 5
    SOCKS4A = 6
    SOCKS5_HOSTNAME = 7
    HTTPS3 = 8


class CurlSslVersion(IntEnum):
    """CURL_SSLVERSION_*."""

    DEFAULT = 0
    TLSv1 = 1
    SSLv2 = 2
    SSLv3 = 3
    TLSv1_0 = 4
    TLSv1_1 = 5
    TLSv1_2 = 6
    TLSv1_3 = 7
    MAX_DEFAULT = 65536


class CurlIpResolve(IntEnum):
    """CURL_IPRESOLVE_*."""

    WHATEVER = 0
    V4 = 1
    V6 = 2


class CurlWsOption(IntEnum):
    """CURLWS_*."""

    RAW_MODE = 1
    NOAUTOPONG = 2
    PERMESSAGE_DEFLATE = 4


class CurlWsFlag(IntEnum):
    """CURLWS_*: what a WebSocket's frame is."""

    TEXT = 1
    BINARY = 2
    CONT = 4
    CLOSE = 8
    PING = 16
    OFFSET = 32
    PONG = 64


class CurlShareOpt(IntEnum):
    """CURLSHOPT_*."""

    NONE = 0
    SHARE = 1
    UNSHARE = 2
    LOCKFUNC = 3
    UNLOCKFUNC = 4
    USERDATA = 5


class CurlLockData(IntEnum):
    """CURL_LOCK_DATA_*."""

    NONE = 0
    SHARE = 1
    COOKIE = 2
    DNS = 3
    SSL_SESSION = 4
    CONNECT = 5
    PSL = 6
    HSTS = 7


class CurlLockAccess(IntEnum):
    """CURL_LOCK_ACCESS_*."""

    NONE = 0
    SHARED = 1
    SINGLE = 2


class CurlShareCode(IntEnum):
    """CURLSHE_*."""

    OK = 0
    BAD_OPTION = 1
    IN_USE = 2
    INVALID = 3
    NOMEM = 4
    NOT_BUILT_IN = 5
