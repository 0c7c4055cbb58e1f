from typing import Literal, cast

NoteCode = Literal["actions_dropped", "image_dropped", "mention_neutralised", "simplified", "trimmed"]


def check_note_code(value: str) -> NoteCode:
    """A later Chatport may know more values: they are let through."""
    return cast(NoteCode, value)
