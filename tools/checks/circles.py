"""No circle of includes: neither between the modules of src/, nor between its folders.

A module is a .c file with the header of its name. It needs another module if one of its two files
includes the other's header. Modules in a circle can only be read, tested and changed together.
"""

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from .tree import Tree, folder_of, module_of

Graph = dict[str, set[str]]


class Edge(NamedTuple):
    """One include line: who includes what, and where."""

    source: str
    target: str
    place: str
    header: str


def check(tree: Tree) -> Iterator[str]:
    edges = list(module_edges(tree))
    yield from findings("modules", edges)
    between = [
        Edge(folder_of("src/" + edge.source) or edge.source,
             folder_of("src/" + edge.target) or edge.target, edge.place, edge.header)
        for edge in edges
    ]
    yield from findings("folders", [edge for edge in between if edge.source != edge.target])


def module_edges(tree: Tree) -> Iterator[Edge]:
    for path in tree.sources():
        for include in tree.includes(path):
            target = module_of("src/" + include.name)
            if include.ours and target != module_of(path):
                yield Edge(module_of(path), target, f"{path}:{include.line}", include.name)


def findings(kind: str, edges: list[Edge]) -> Iterator[str]:
    graph: Graph = {}
    for edge in edges:
        graph.setdefault(edge.source, set()).add(edge.target)
        graph.setdefault(edge.target, set())
    for circle in circles(graph):
        way = " > ".join(shortest_way(graph, circle))
        yield f"a circle of {len(circle)} {kind}: {', '.join(circle)}"
        yield f"    the shortest way round: {way}"
        for edge in edges:
            if edge.source in circle and edge.target in circle:
                yield (f'{edge.place}: includes "{edge.header}" in that circle; pass a callback '
                       "down, or move what both need to a third module")


def circles(graph: Graph) -> list[list[str]]:
    """The sets of nodes that reach each other (strongly connected components), if more than one."""
    reach = {node: reachable(graph, node) for node in graph}
    found: list[list[str]] = []
    done: set[str] = set()
    for node in sorted(graph):
        if node in reach[node] and node not in done:
            circle = sorted(other for other in reach[node] if node in reach[other])
            done.update(circle)
            found.append(circle)
    return found


def reachable(graph: Graph, start: str) -> set[str]:
    """What can be reached over one edge or more; `start` itself only by a way back."""
    seen: set[str] = set()
    todo = list(graph[start])
    while todo:
        node = todo.pop()
        if node not in seen:
            seen.add(node)
            todo.extend(graph[node])
    return seen


def shortest_way(graph: Graph, circle: list[str]) -> list[str]:
    """The shortest circle among these nodes, its first node repeated at the end."""
    return min((way_back(graph, node) for node in circle), key=len)


def way_back(graph: Graph, start: str) -> list[str]:
    ways = deque([[start]])
    seen: set[str] = set()
    while ways:
        way = ways.popleft()
        for node in sorted(graph[way[-1]]):
            if node == start:
                return [*way, start]
            if node not in seen:
                seen.add(node)
                ways.append([*way, node])
    raise ValueError(f"{start} is in no circle")
