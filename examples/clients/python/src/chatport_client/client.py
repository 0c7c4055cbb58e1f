"""How requests are sent: with the key, within a time, and again where that can't do harm."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

import httpx

from .generated.client import Operations
from .generated.errors import UnexpectedStatus
from .problems import NoAnswer, Problem, UnexpectedAnswer, problem_of

Answer = TypeVar("Answer")
Item_co = TypeVar("Item_co", covariant=True)

_REPEATABLE_METHODS = {"get", "put", "delete"}
"""Desired state, by the application's own keys and revisions: twice is the same as once."""

_ANSWERED_ONCE = {"put_subscription"}
"""Its answer has a secret that no second answer has."""

_PASSING = {429, 502, 503, 504}
"""What may be otherwise in a moment."""

_NOTHING_CHANGED = {"too-many-requests", "backlog-full", "storage-low", "overloaded"}
"""Problems after which anything may be repeated."""

_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


@dataclass(frozen=True)
class Retries:
    """How often a request is sent at most, and how many seconds lie between the first two times; then twice as many
    each time, a part of them by chance. `Retry-After` is kept to. `Retries(attempts=1)`: once."""

    attempts: int = 4
    first_wait: float = 0.25


class Page(Protocol[Item_co]):
    """A part of a list."""

    @property
    def items(self) -> Sequence[Item_co]: ...


class Chatport(Operations):
    """Chatport's API: each operation is a method, `putMessage` is `put_message`.

    `timeout` is how many seconds a call has with all its retries: no step of it (connecting, sending, reading) waits
    longer than what is left. Every method takes one of its own. Safe to share between threads. Close it, or use it in
    a `with`.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        *,
        timeout: float = 10.0,
        retries: Retries = Retries(),
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        headers = {"authorization": f"Bearer {api_key}", "accept": "application/json"}
        self._http = httpx.Client(base_url=base_url, headers=headers, transport=transport)
        self._timeout = timeout
        self._retries = retries
        self._sleep = sleep

    def every(self, operation: Callable[..., Page[Item_co]], *arguments: Any, **options: Any) -> Iterator[Item_co]:
        """All items of a list, page by page: `chatport.every(chatport.list_accounts, "demo", limit=500)`."""
        while True:
            page = operation(*arguments, **options)
            yield from page.items
            cursor = getattr(page, "next_", None)
            if not cursor:
                return
            options["cursor"] = cursor

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _call(
        self,
        operation: str,
        request: dict[str, Any],
        parse: Callable[[httpx.Response], Answer],
        timeout: float | None,
    ) -> Answer:
        repeatable = request["method"] in _REPEATABLE_METHODS and operation not in _ANSWERED_ONCE
        deadline = time.monotonic() + (self._timeout if timeout is None else timeout)
        attempt = 0
        while True:
            attempt += 1
            answer = self._attempt(request, deadline)
            if isinstance(answer, httpx.Response):
                return _parsed(answer, parse)
            wait = self._retries.first_wait * 2 ** (attempt - 1) * random.uniform(0.5, 1.0)
            if isinstance(answer, NoAnswer):
                again = repeatable or not answer.may_have_happened
            else:
                again = answer.status in _PASSING and (repeatable or answer.slug in _NOTHING_CHANGED)
                wait = max(wait, answer.retry_after or 0.0)
            if not again or attempt >= self._retries.attempts or time.monotonic() + wait >= deadline:
                raise answer
            self._sleep(wait)

    def _attempt(self, request: dict[str, Any], deadline: float) -> httpx.Response | Problem | NoAnswer:
        try:
            response = self._http.request(**request, timeout=max(deadline - time.monotonic(), 0.001))
        except httpx.RequestError as error:
            words = str(error) or type(error).__name__
            return NoAnswer(words, may_have_happened=not isinstance(error, _NOT_SENT))
        return problem_of(response) if response.status_code >= 400 else response


def _parsed(answer: httpx.Response, parse: Callable[[httpx.Response], Answer]) -> Answer:
    try:
        return parse(answer)
    except (UnexpectedStatus, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnexpectedAnswer(f"{answer.status_code} of {answer.url}: {error!r}") from error
