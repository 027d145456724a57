"""Files: a .c has a header of its name beside it, names are unique, and folders stay small."""

from collections import defaultdict
from collections.abc import Iterator

from .tree import Tree, folder_of, module_of, stem_of

FOLDER_MODULES = 23  # about 20 is what a reader can survey
NO_HEADER = {"src/main.c"}
OTHER_HEADER = {"src/engine/api.c": "include/curlew/curlew.h"}  # the public one


def check(tree: Tree) -> Iterator[str]:
    yield from missing_headers(tree)
    yield from repeated_names(tree)
    yield from large_folders(tree)


def missing_headers(tree: Tree) -> Iterator[str]:
    for path in tree.paths(r"src/.*\.c"):
        header = OTHER_HEADER.get(path, path[:-1] + "h")
        if path not in NO_HEADER and header not in tree.files:
            yield (f"{path}:1: has no {header}; declare there what others may call, or join the "
                   "file with the one whose header declares it")


def repeated_names(tree: Tree) -> Iterator[str]:
    """A name alone must lead to the file, so also a header and a .c in two folders are wrong."""
    modules = defaultdict(set)
    for path in tree.sources():
        modules[stem_of(path)].add(module_of(path))
    for name, places in sorted(modules.items()):
        if len(places) > 1:
            first, *others = sorted(places)
            yield (f"src/{first}: has the name {name} in common with "
                   f"{', '.join('src/' + place for place in others)}; rename all but one")


def large_folders(tree: Tree) -> Iterator[str]:
    folders = defaultdict(set)
    for path in tree.sources():
        folders[folder_of(path)].add(module_of(path))
    for folder, modules in sorted(folders.items()):
        if len(modules) > FOLDER_MODULES:
            yield (f"src/{folder}: {len(modules)} modules, more than {FOLDER_MODULES}; split the "
                   "folder where it has two subjects")
