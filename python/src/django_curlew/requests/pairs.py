"""Names and values: of a dict, of pairs, and of Django's kinds of both."""

from __future__ import annotations

from typing import Any, Iterable, Tuple


def pairs_of(given: Any) -> Iterable[Tuple[Any, Any]]:
    """The pairs of `params`, `data` or `files`. A QueryDict (request.GET), or another of Django's
    MultiValueDict, gives every value of a name: its items() are the last ones only."""
    if hasattr(given, "lists") and hasattr(given, "items"):
        return [(name, value) for name, values in given.lists() for value in values]
    return given.items() if hasattr(given, "items") else given or ()


def is_text(value: Any) -> bool:
    """Is it a str, or an object that behaves as one, like a lazy translation of Django's? Its items
    are letters, not values."""
    return isinstance(value, str) or hasattr(value, "encode")
