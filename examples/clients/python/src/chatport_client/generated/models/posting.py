from typing import Literal, cast

Posting = Literal["archived", "joins", "member", "needs_invitation"]


def check_posting(value: str) -> Posting:
    """A later Chatport may know more values: they are let through."""
    return cast(Posting, value)
