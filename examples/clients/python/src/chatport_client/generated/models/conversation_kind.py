from typing import Literal, cast

ConversationKind = Literal["channel", "direct", "group"]


def check_conversation_kind(value: str) -> ConversationKind:
    """A later Chatport may know more values: they are let through."""
    return cast(ConversationKind, value)
