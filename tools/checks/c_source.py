"""A small reader of C as .clang-format writes it: function definitions and prototypes.

It relies on that format: in a definition the function's name stands in column 0, below its return
type. So `make format` comes first.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

NOISE = re.compile(
    r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''
    r"|^[ \t]*#(?:\\\n|[^\n])*",
    re.DOTALL | re.MULTILINE,
)
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
DEFINITION = re.compile(
    r"^(?P<type>[A-Za-z_][^\n;{}()]*)\n(?P<name>\w+)\((?P<parameters>[^;{}]*)\)\s*\n\{",
    re.MULTILINE,
)
ATTRIBUTE = re.compile(r"__attribute__\s*\(\((?:[^()]|\([^()]*\))*\)\)")
STATEMENT = re.compile(r"[^;{}]*[;{}]")


class Function(NamedTuple):
    """A function definition. `line` is that of its name, `length` counts to the closing brace."""

    name: str
    line: int
    length: int
    type: str
    parameters: list[str]

    @property
    def is_exported(self) -> bool:
        return "static" not in self.type.split()


class Prototype(NamedTuple):
    """A declaration of a function: its text without comments, and the lines that it covers."""

    text: str
    first: int
    last: int


def blank_out(text: str) -> str:
    """The text with comments, literals and preprocessor lines made blank; lines stay lines."""
    return NOISE.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)


def without_comments(text: str) -> str:
    """The text with its comments made blank; lines stay lines."""
    return COMMENT.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)


def line_at(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1


def split_parameters(text: str) -> list[str]:
    """`int a, void (*f)(int, int)` is two parameters."""
    parts, depth = [""], 0
    for char in text:
        depth += {"(": 1, ")": -1}.get(char, 0)
        if char == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    return [" ".join(part.split()) for part in parts]


def functions(text: str) -> Iterator[Function]:
    """The function definitions of a .c file or a header."""
    code = blank_out(text)
    for found in DEFINITION.finditer(code):
        start = line_at(code, found.start("name"))
        end = line_at(code, code.find("\n}", found.end() - 1) + 1)
        yield Function(found["name"], start, end - start + 1, found["type"].strip(),
                       split_parameters(found["parameters"]))


def prototypes(text: str) -> Iterator[Prototype]:
    """The declarations of functions, and typedefs of them, that stand outside of any braces."""
    code = re.sub(r'extern +"\w*" *\{', lambda found: " " * len(found[0]),
                  without_directives(text))
    depth = 0
    for found in STATEMENT.finditer(code):
        statement = found[0].lstrip()
        if statement.endswith("{"):
            depth += 1
        elif statement.endswith("}"):
            depth = max(depth - 1, 0)
        elif depth == 0 and is_prototype(statement):
            start = found.end() - len(statement)
            yield Prototype(statement, line_at(code, start), line_at(code, found.end() - 1))


def without_directives(text: str) -> str:
    """The text without comments and preprocessor lines; strings stay, for `extern "C"`."""
    return re.sub(r"^[ \t]*#(?:\\\n|[^\n])*", lambda found: re.sub(r"[^\n]", " ", found[0]),
                  without_comments(text), flags=re.MULTILINE)


def is_prototype(statement: str) -> bool:
    """A variable has no parenthesis, but for its attributes, its size and its value."""
    text = re.sub(r"\[[^]]*\]", "", ATTRIBUTE.sub("", statement))
    return "(" in text.split("=")[0] and not text.startswith("_Static_assert")
