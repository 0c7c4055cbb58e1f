from typing import Literal, cast

CopyState = Literal[
    "cancelled", "dead", "delivered", "expired", "folded", "pending", "removed", "retry", "sending", "unknown"
]


def check_copy_state(value: str) -> CopyState:
    """A later Chatport may know more values: they are let through."""
    return cast(CopyState, value)
