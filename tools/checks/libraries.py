"""Each library has one door: only the files named here include it, so only they change with it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from .c_source import line_at, without_comments
from .tree import Tree, folder_of

CURLEW_HEADER = re.compile(r"curlew/")


class Library(NamedTuple):
    """`headers` is a regular expression; `folder` and `files` say who may include them."""

    headers: str
    folder: str | None
    files: dict[str, str]  # path: the reason


CODING = {"src/coding/coding_stage.c": "undoes Content-Encoding"}
LIBRARIES = {
    "libfcgi": Library(r"(fcgiapp|fcgios|fcgi_stdio|fcgi_config|fastcgi)\.h", "fastcgi", {}),
    "jansson": Library(r"jansson(_config)?\.h", "message", {
        "src/json/json_memory.h": "gives jansson its memory",
    }),
    "libcurl": Library(r"curl/.*", "transfer", {
        "src/libcurl/curl_features.c": "asks which libcurl it is",
        "src/libcurl/curl_memory.c": "gives libcurl its memory",
        "src/libcurl/impersonate_targets.c": "asks which browsers it can be",
        "src/libcurl/impersonate_targets.h": "the type of curl_easy_impersonate()",
        "src/libcurl/system_ca.c": "asks for its CA bundle",
        "src/http/url.c": "parses URLs with curl_url()",
        "src/http/retry_policy.c": "reads dates with curl_getdate(), knows transient CURLcodes",
        "src/engine/engine.c": "calls curl_global_init()",
        "src/engine/engine_worker.c": "drives the multi handle",
    }),
    "zlib": Library(r"zlib\.h", None, CODING),
    "brotli": Library(r"brotli/.*", None, CODING),
    "zstd": Library(r"zstd(_errors)?\.h", None, CODING),
}

# Headers outside transfer/ show no type of libcurl, so that those who include them don't need it.
CURL_TYPE = re.compile(
    r"\b(CURL(?!EW)\w*|curl_(slist|socket_t|off_t|sockaddr|mime|mimepart|waitfd|blob|\w+_callback)"
    r"|curl_(easy|multi|share|url|global)_\w+)\b"
)
HEADERS_WITH_CURL_TYPES = {  # path: the reason
    "src/libcurl/impersonate_targets.h": "the type of curl_easy_impersonate()",
}


def check(tree: Tree) -> Iterator[str]:
    for path in [*tree.sources(), *tree.paths(r"include/.*\.h")]:
        for include in tree.includes(path):
            if not include.ours and (why := fault(path, include.name)):
                yield f"{path}:{include.line}: {why}"
    for path in tree.headers():
        if folder_of(path) != "transfer" and path not in HEADERS_WITH_CURL_TYPES:
            yield from curl_types(tree, path)


def fault(path: str, included: str) -> str | None:
    """Why this file may not include <included>; None where it may."""
    if included.startswith("curlew/"):
        return f'includes <{included}>; write "{included}", as it is our own'
    for name, library in LIBRARIES.items():
        if re.fullmatch(library.headers, included):
            if path in library.files or path.startswith(f"src/{library.folder}/"):
                return None
            return f"includes <{included}>; {name} is for {who(library)} alone"
    return None


def who(library: Library) -> str:
    folder = [f"src/{library.folder}/"] if library.folder else []
    return ", ".join([*folder, *library.files])


def curl_types(tree: Tree, path: str) -> Iterator[str]:
    """One finding for each type: its first place."""
    code = without_comments(tree.files[path])
    seen = set()
    for found in CURL_TYPE.finditer(code):
        if found[0] not in seen:
            seen.add(found[0])
            yield (f"{path}:{line_at(code, found.start())}: shows libcurl's {found[0]}; keep it in "
                   "the .c file, or move the declaration to src/transfer/")
