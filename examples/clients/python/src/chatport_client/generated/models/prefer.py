from typing import Literal, cast

Prefer = Literal["direct", "mention"]


def check_prefer(value: str) -> Prefer:
    """A later Chatport may know more values: they are let through."""
    return cast(Prefer, value)
