import pytest

from tools.checks import libraries
from tools.checks.tree import Tree


def findings(path, text):
    return list(libraries.check(Tree({path: text})))


@pytest.mark.parametrize("path, header", [
    ("src/fastcgi/libfcgi_codec.c", "fcgiapp.h"),
    ("src/fastcgi/record_parser.c", "fastcgi.h"),
    ("src/message/envelope.h", "jansson.h"),
    ("src/transfer/transfer.c", "curl/curl.h"),
    ("src/http/url.c", "curl/curl.h"),
    ("src/http/retry_policy.c", "curl/curl.h"),
    ("src/engine/engine_worker.c", "curl/multi.h"),
    ("src/coding/coding_stage.c", "brotli/decode.h"),
    ("src/util/log.c", "stdio.h"),
])
def test_a_door_is_open(path, header):
    assert findings(path, f"#include <{header}>\n") == []


@pytest.mark.parametrize("path, header, library", [
    ("src/routes/submit.c", "fcgiapp.h", "libfcgi"),
    ("src/message/request.c", "fastcgi.h", "libfcgi"),
    ("src/routes/route_status.c", "jansson.h", "jansson"),
    ("src/http/headers.c", "curl/curl.h", "libcurl"),
    ("src/session/cookie_jar.c", "curl/curl.h", "libcurl"),
    ("src/http/url.h", "curl/curl.h", "libcurl"),
    ("src/engine/coalesce.c", "curl/curl.h", "libcurl"),
    ("src/transfer/transfer.c", "zlib.h", "zlib"),
    ("src/coding/content_coding.c", "zlib.h", "zlib"),
    ("src/transfer/transfer.c", "zstd.h", "zstd"),
    ("src/message/envelope.c", "brotli/decode.h", "brotli"),
    ("include/curlew/curlew.h", "curl/curl.h", "libcurl"),
])
def test_everybody_else_is_refused(path, header, library):
    (finding,) = findings(path, f"\n#include <{header}>\n")
    assert finding.startswith(f"{path}:2: includes <{header}>; {library} is for ")


def test_our_own_header_is_written_in_quotes():
    (finding,) = findings("src/engine/api.c", "#include <curlew/curlew.h>\n")
    assert 'write "curlew/curlew.h"' in finding


@pytest.mark.parametrize("line", [
    "CURL *easy;",
    "int finish(struct worker *w, CURLcode result);",
    "void jar_lend(struct curl_slist **lent);",
    "curl_socket_t fd;",
])
def test_a_header_outside_transfer_shows_no_type_of_libcurl(line):
    (finding,) = findings("src/http/url.h", f"{line}\n")
    assert finding.startswith("src/http/url.h:1: shows libcurl's ")
    assert findings("src/transfer/transfer.h", f"{line}\n") == []
    assert findings("src/http/url.c", f"{line}\n") == []


def test_a_type_is_named_once_with_its_first_line():
    (finding,) = findings("src/fetch/fetch.h", "\nCURL *a;\nCURL *b;\n")
    assert finding.startswith("src/fetch/fetch.h:2: shows libcurl's CURL;")


@pytest.mark.parametrize("line", [
    "/* what CURL makes of it: CURLE_OK */",
    "#define CURLEW_VERSION 1",
    "struct curlew_fetch *curlew_fetch_new(const char *url);",
    "enum error_code curl_result_error(int result);",
])
def test_comments_and_our_own_names_are_no_types_of_libcurl(line):
    assert findings("src/engine/engine.h", f"{line}\n") == []
