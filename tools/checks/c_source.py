"""A small reader of C as .clang-format writes it: function definitions and prototypes.

It relies on that format: in a definition the function's name stands in column 0, below its return
type. So `make format` comes first.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

LITERAL_OR_COMMENT = re.compile(
    r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL
)
NOISE = re.compile(
    LITERAL_OR_COMMENT.pattern + r"|^[ \t]*#(?:\\\n|[^\n])*", re.DOTALL | re.MULTILINE
)
EXTERN_C = re.compile(r'extern +"C" *\{')
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
DEFINITION = re.compile(
    r"^ *(?P<type>[A-Za-z_][^\n;{}()]*)\n(?P<name>\w+)\((?P<parameters>[^;{}]*)\)\s*\n\{",
    re.MULTILINE,
)
ATTRIBUTE = re.compile(r"__attribute__\s*\(\((?:[^()]|\([^()]*\))*\)\)")
STATEMENT = re.compile(r"[^;{}]*[;{}]")
STRUCT = re.compile(r"(typedef )?(static )?(struct|union)\b[^()=]*\{$")


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


class Declaration(NamedTuple):
    """A prototype or a member: its text without comments, and the lines that it covers."""

    text: str
    first: int
    last: int


def blank_out(text: str) -> str:
    """The text with comments, literals and preprocessor lines made blank; lines stay lines."""
    return NOISE.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)


def without_comments(text: str) -> str:
    """The text with its comments made blank; lines stay lines."""
    return LITERAL_OR_COMMENT.sub(
        lambda found: re.sub(r"[^\n]", " ", found[0]) if found[0][0] == "/" else found[0], text
    )


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
    code = ATTRIBUTE.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), blank_out(text))
    for found in DEFINITION.finditer(code):
        start = line_at(code, found.start("name"))
        end = line_at(code, code.find("\n}", found.end() - 1) + 1)
        yield Function(found["name"], start, end - start + 1, found["type"].strip(),
                       split_parameters(found["parameters"]))


def prototypes(text: str) -> Iterator[Declaration]:
    """The declarations of functions, and typedefs of them, that stand outside of any braces."""
    for declaration, braces in declarations(text):
        if not braces and is_prototype(declaration.text):
            yield declaration


def members(text: str) -> Iterator[Declaration]:
    """The members of structs and unions."""
    for declaration, braces in declarations(text):
        if braces and STRUCT.match(braces[-1]):
            yield declaration


def declarations(text: str) -> Iterator[tuple[Declaration, list[str]]]:
    """What ends with a semicolon, each with what stands before the braces around it."""
    code = blank_out(EXTERN_C.sub(lambda found: " " * len(found[0]), text))
    braces: list[str] = []
    for found in STATEMENT.finditer(code):
        statement = found[0].lstrip()
        if statement.endswith("{"):
            braces.append(statement)
        elif statement.endswith("}"):
            del braces[-1:]
        else:
            start = found.end() - len(statement)
            lines = line_at(code, start), line_at(code, found.end() - 1)
            yield Declaration(statement, *lines), braces


def is_prototype(statement: str) -> bool:
    """A variable has no parenthesis, but for its attributes, its size and its value."""
    text = re.sub(r"\[[^]]*\]", "", ATTRIBUTE.sub("", statement))
    return "(" in text.split("=")[0] and not text.startswith("_Static_assert")
