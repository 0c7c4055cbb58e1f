from typing import Literal, cast

OnRemoved = Literal["delete", "leave"]


def check_on_removed(value: str) -> OnRemoved:
    """A later Chatport may know more values: they are let through."""
    return cast(OnRemoved, value)
