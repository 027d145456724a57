"""override_curlew: a fake daemon for a test."""

from __future__ import annotations

import contextlib
import functools
import inspect
from typing import Any, Callable, List, Optional, TypeVar, Union

from .. import daemon
from ..daemon import unstubbed
from .stub import Stub
from .tape import Tape, should_record

T = TypeVar("T", bound=Callable[..., Any])
Fake = Union[Stub, Tape]


class override_curlew:  # noqa: N801  (as Django's override_settings)
    """Replaces the daemon by a Stub, or, with `tape`, by a Tape. For a `with` block, which it gives
    the fake to; or as a decorator: of functions and coroutines, which get the fake as their last
    argument, and of unittest's and Django's test classes, which have it as `self.curlew`.

    `tape`: the path of a file; it is recorded if it does not exist or CURLEW_RECORD=1 is set.
    """

    def __init__(self, tape: Optional[str] = None) -> None:
        self.tape = tape
        self._stacks: List[contextlib.ExitStack] = []  # one for each `with` that has not ended

    def __enter__(self) -> Any:
        stack = contextlib.ExitStack()
        fake = stack.enter_context(daemon.using(self._make()))
        if isinstance(fake, Tape):
            stack.callback(fake.save)
        self._stacks.append(stack)
        return fake

    def __exit__(self, *exc_info: Any) -> None:
        self._stacks.pop().__exit__(*exc_info)

    def _make(self) -> Fake:
        if self.tape is None:
            return Stub()
        with unstubbed.exempt():
            return Tape(self.tape, daemon.current() if should_record(self.tape) else None)

    def __call__(self, decorated: T) -> T:
        if isinstance(decorated, type):
            return self._decorate_class(decorated)  # type: ignore[no-any-return]
        signature = inspect.signature(decorated)
        _check_function(decorated, signature)
        *others, last = signature.parameters.values()  # the last one gets the fake
        if inspect.iscoroutinefunction(decorated):

            @functools.wraps(decorated)
            async def wrapper(*args: Any, **kwargs: Any) -> Any:
                with override_curlew(self.tape) as fake:
                    return await decorated(*args, **{**kwargs, last.name: fake})

        else:

            @functools.wraps(decorated)
            def wrapper(*args: Any, **kwargs: Any) -> Any:
                with override_curlew(self.tape) as fake:
                    return decorated(*args, **{**kwargs, last.name: fake})

        del wrapper.__wrapped__  # else pytest would look for a fixture of that name
        wrapper.__signature__ = signature.replace(parameters=others)  # type: ignore[attr-defined]
        return wrapper  # type: ignore[return-value]

    def _decorate_class(self, decorated: Any) -> Any:
        """A unittest.TestCase: each test has its own fake, as `self.curlew`."""
        tape, set_up = self.tape, decorated.setUp

        @functools.wraps(set_up)
        def setUp(case: Any) -> None:  # noqa: N802
            override = override_curlew(tape)
            case.curlew = override.__enter__()
            case.addCleanup(override.__exit__, None, None, None)
            set_up(case)

        decorated.setUp = setUp
        return decorated


def _check_function(decorated: Callable[..., Any], signature: inspect.Signature) -> None:
    """Raises TypeError for a function that a decorator can do nothing for."""
    if inspect.isgeneratorfunction(decorated) or inspect.isasyncgenfunction(decorated):
        raise TypeError(
            "a generator runs when the decorator has ended, without the stub:"
            " use `with override_curlew() as curlew:` in it"
        )
    if not signature.parameters:
        raise TypeError("the function needs an argument for the stub, its last one")
