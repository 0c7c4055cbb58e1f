from typing import Literal, cast

OnMissingRoot = Literal["dead", "unthreaded"]


def check_on_missing_root(value: str) -> OnMissingRoot:
    """A later Chatport may know more values: they are let through."""
    return cast(OnMissingRoot, value)
