"""The folders of src/ are layers: a file includes headers of its own folder and of lower ones only.

Folders of one layer don't know each other. Tests, benchmarks and examples may include anything.
"""

from __future__ import annotations

from collections.abc import Iterator

from .tree import Tree, folder_of

# From the highest to the lowest.
LAYERS = [
    ["main.c"],
    ["routes"],
    ["fastcgi"],
    ["message"],
    ["engine"],
    ["transfer", "scheduler"],
    ["fetch"],
    ["session", "coding"],
    ["egress", "http", "event", "limits", "json", "libcurl"],
    ["fingerprint"],
    ["util"],
]
PUBLIC = "curlew"  # include/curlew is the engine's public face, so it is as high as the engine
HEIGHT = {
    folder: height for height, layer in enumerate(reversed(LAYERS)) for folder in layer
} | {PUBLIC: len(LAYERS) - 1 - LAYERS.index(["engine"])}


def check(tree: Tree) -> Iterator[str]:
    yield from unknown_folders(tree)
    for path in tree.sources():
        folder = folder_of(path) or "main.c"
        if folder not in HEIGHT:
            continue
        for include in tree.includes(path):
            if include.ours and (why := fault(folder, include.name)):
                yield f"{path}:{include.line}: {why}"
    for path in tree.paths(r"include/.*\.h"):
        for include in tree.includes(path):
            if include.ours:
                yield (f'{path}:{include.line}: includes "{include.name}"; the public header is '
                       "installed alone, so it may include system headers only")


def unknown_folders(tree: Tree) -> Iterator[str]:
    folders = {folder_of(path) for path in tree.sources() if path != "src/main.c"}
    for folder in sorted(folders - set(HEIGHT)):
        yield (f"src/{folder}: is no folder of the layers; move its files, or give it a place in "
               "tools/checks/folders.py")


def fault(folder: str, included: str) -> str | None:
    """Why a file of this folder may not include "included"; None where it may."""
    other = included.split("/")[0] if "/" in included else ""
    if other not in HEIGHT:
        return f'includes "{included}"; write it as "folder/file.h", with a folder of src/'
    if other == folder or {other, folder} == {PUBLIC, "engine"} or HEIGHT[other] < HEIGHT[folder]:
        return None
    where = "beside" if HEIGHT[other] == HEIGHT[folder] else "above"
    return (f'includes "{included}", but {other}/ is {where} {folder}/; move what is needed to a '
            "lower folder, or let the caller pass a callback")
