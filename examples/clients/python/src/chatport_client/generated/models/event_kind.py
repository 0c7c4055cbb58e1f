from typing import Literal, cast

EventKind = Literal[
    "account.changed",
    "account.linked",
    "account.unlinked",
    "action.invoked",
    "channel.changed",
    "channel.linked",
    "channel.removed",
    "command.invoked",
    "installation.activated",
    "installation.removed",
    "installation.suspended",
    "message.delivered",
    "message.failed",
    "reply.posted",
]


def check_event_kind(value: str) -> EventKind:
    """A later Chatport may know more values: they are let through."""
    return cast(EventKind, value)
