from typing import Literal, cast

RatePer = Literal["conversation", "installation", "origin"]


def check_rate_per(value: str) -> RatePer:
    """A later Chatport may know more values: they are let through."""
    return cast(RatePer, value)
