"""A typed, synchronous client of Chatport's API.

    from chatport_client import Chatport, models

    with Chatport("http://127.0.0.1:8000", "cp_live_…") as chatport:
        content = models.ContentInput(state="firing", title="Disk full on db-1")
        message = models.PutMessageInput(revision=1, targets=[models.DefaultTarget(default=True)], content=content)
        chatport.put_message("demo", "alert-1", message)

What isn't said is `UNSET`, which is false like None. `models` and the operations are made from the API's description;
retries, problems and webhooks are written by hand.
"""

from .client import Chatport, Retries
from .generated import models
from .generated.client import AnyEvent
from .generated.types import UNSET, Unset
from .problems import (
    ChatportError,
    Conflict,
    Forbidden,
    NoAnswer,
    NotFound,
    Problem,
    Refused,
    TooManyRequests,
    Unauthorized,
    Unavailable,
    UnexpectedAnswer,
)
from .webhooks import NotGenuine, Webhooks, parse_event

__all__ = [
    "UNSET",
    "AnyEvent",
    "Chatport",
    "ChatportError",
    "Conflict",
    "Forbidden",
    "NoAnswer",
    "NotFound",
    "NotGenuine",
    "Problem",
    "Refused",
    "Retries",
    "TooManyRequests",
    "Unauthorized",
    "Unavailable",
    "UnexpectedAnswer",
    "Unset",
    "Webhooks",
    "models",
    "parse_event",
]
