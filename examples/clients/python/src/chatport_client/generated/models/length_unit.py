from typing import Literal, cast

LengthUnit = Literal["bytes", "characters", "utf16"]


def check_length_unit(value: str) -> LengthUnit:
    """A later Chatport may know more values: they are let through."""
    return cast(LengthUnit, value)
