"""An exported function has its file's name as prefix: token_bucket.c exports token_bucket_*.

So a name alone leads to the file. Where two files fit, the longer name is meant: session_config_*
belongs to session_config.c, not to session.c.
"""

from __future__ import annotations

from collections.abc import Iterator

from .c_source import Function, functions
from .tree import Tree, stem_of

# path: {name, or prefix*: the reason}
EXCEPTIONS = {
    "src/main.c": {"main": "the language's name"},
    "src/engine/api.c": {"curlew_*": "the public API; include/curlew/curlew.h declares it"},
    "src/fastcgi/libfcgi_codec.c": {"OS_*": "takes the place of libfcgi's own, of <fcgios.h>"},
}


def check(tree: Tree) -> Iterator[str]:
    stems = {stem_of(path): path for path in tree.sources() if path.endswith(".c")}
    for path in tree.paths(r"src/.*\.c"):
        for function in functions(tree.files[path]):
            if function.is_exported and not is_exception(path, function.name):
                if why := fault(path, function, stems):
                    yield f"{path}:{function.line}: {why}"


def is_exception(path: str, name: str) -> bool:
    return any(
        name.startswith(known[:-1]) if known.endswith("*") else name == known
        for known in EXCEPTIONS.get(path, {})
    )


def fault(path: str, function: Function, stems: dict[str, str]) -> str | None:
    """Why this function may not have this name in this file; None where it may."""
    name, stem = function.name, stem_of(path)
    if not carries(name, stem):
        return f"{name} is exported; name it {stem}_…, or make it static"
    longest = max((other for other in stems if carries(name, other)), key=len)
    if longest != stem:
        return f"{name} sounds like one of {stems[longest]}; move it there, or rename it"
    return None


def carries(name: str, stem: str) -> bool:
    return name == stem or name.startswith(stem + "_")
