"""What can go wrong, as exceptions. Every answer from 400 on is a problem (RFC 9457) with a stable `type`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from .generated.models import ProblemDetails


class ChatportError(Exception):
    """Everything that this package raises when Chatport doesn't do what was asked."""


class NoAnswer(ChatportError):
    """Chatport couldn't be reached or didn't answer in time. `may_have_happened`: whether the request may have been
    carried out all the same. A message can then be put again with the same key and revision."""

    def __init__(self, detail: str, *, may_have_happened: bool) -> None:
        super().__init__(detail)
        self.may_have_happened = may_have_happened


class UnexpectedAnswer(ChatportError):
    """What came isn't an answer of Chatport's, or of one that this client doesn't understand."""


class Problem(ChatportError):
    """Chatport refused. Its classes are by status; `slug` says exactly which kind of problem it is."""

    def __init__(self, details: ProblemDetails, retry_after: float | None = None) -> None:
        words = details.detail or details.title
        super().__init__(f"{details.status} {details.type_}: {words}. {details.cure}".strip())
        self.details = details
        """All that the problem says: `title`, `detail`, `cure`, `pointer`, `field`, `installations`, …"""
        self.retry_after = retry_after
        """In how many seconds to try again, where Chatport says so."""

    @property
    def status(self) -> int:
        return self.details.status

    @property
    def slug(self) -> str:
        """The end of the problem's type, e.g. `revision-conflict`."""
        return self.details.type_.rsplit("/", 1)[-1]

    @property
    def request_id(self) -> str | None:
        """What to quote when asking the operator for help."""
        return self.details.request_id or None


class Unauthorized(Problem):
    """401: the key is unknown, expired or revoked."""


class Forbidden(Problem):
    """403: the key may not do this."""


class NotFound(Problem):
    """404: it isn't there, or belongs to another organization."""


class Conflict(Problem):
    """409: not as things are, e.g. the same revision with other content."""


class Refused(Problem):
    """422: what was sent is wrong; `details.pointer` or `details.field` says where."""


class TooManyRequests(Problem):
    """429: too much at once, or too much that isn't delivered."""


class Unavailable(Problem):
    """503: not at the moment."""


_BY_STATUS: Mapping[int, type[Problem]] = {
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    422: Refused,
    429: TooManyRequests,
    503: Unavailable,
}


def problem_of(response: httpx.Response) -> Problem:
    """The problem that an answer is. What a proxy on the way says has no kind: `about:blank`."""
    try:
        details = ProblemDetails.from_dict(response.json())
    except (ValueError, KeyError, TypeError, AttributeError):
        anonymous: dict[str, Any] = {"type": "about:blank", "title": response.reason_phrase, "cure": ""}
        details = ProblemDetails.from_dict(anonymous | {"status": response.status_code})
    wait = response.headers.get("retry-after", "")
    retry_after = float(wait) if wait.isascii() and wait.isdigit() else None
    return _BY_STATUS.get(response.status_code, Problem)(details, retry_after)
