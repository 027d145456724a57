"""override_curlew: another daemon for the length of a test."""

from __future__ import annotations

import contextlib
import functools
import inspect
from typing import Any, Callable, Optional, TypeVar, Union

from .. import daemon
from .stub import Stub
from .tape import Tape, is_to_be_recorded

T = TypeVar("T", bound=Callable[..., Any])
Fake = Union[Stub, Tape]


class override_curlew:  # noqa: N801  (as Django's override_settings)
    """A `with` block, or a decorator: see the package's own words."""

    def __init__(self, tape: Optional[str] = None) -> None:
        self.tape = tape
        self._stack: Optional[contextlib.ExitStack] = None

    def __enter__(self) -> Any:
        self._stack = contextlib.ExitStack()
        fake = self._stack.enter_context(daemon.using(self._make()))
        if isinstance(fake, Tape):
            self._stack.callback(fake.save)
        return fake

    def __exit__(self, *why: Any) -> None:
        if self._stack is not None:
            self._stack.__exit__(*why)

    def _make(self) -> Fake:
        if self.tape is None:
            return Stub()
        return Tape(self.tape, daemon.current() if is_to_be_recorded(self.tape) else None)

    def __call__(self, decorated: T) -> T:
        if isinstance(decorated, type):
            return self._class(decorated)  # type: ignore[no-any-return]
        signature = inspect.signature(decorated)
        *others, last = signature.parameters.values()  # ours is the last, whatever its name
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

        del wrapper.__wrapped__  # or pytest looks for a fixture of that name
        wrapper.__signature__ = signature.replace(parameters=others)  # type: ignore[attr-defined]
        return wrapper  # type: ignore[return-value]

    def _class(self, decorated: Any) -> Any:
        """Of unittest's, Django's included: each test has one of its own, as `self.curlew`."""
        tape, set_up = self.tape, decorated.setUp

        @functools.wraps(set_up)
        def setUp(case: Any) -> None:  # noqa: N802
            override = override_curlew(tape)
            case.curlew = override.__enter__()
            case.addCleanup(override.__exit__, None, None, None)
            set_up(case)

        decorated.setUp = setUp
        return decorated
