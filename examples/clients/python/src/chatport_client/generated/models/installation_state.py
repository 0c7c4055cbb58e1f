from typing import Literal, cast

InstallationState = Literal["active", "pending", "removed", "suspended"]


def check_installation_state(value: str) -> InstallationState:
    """A later Chatport may know more values: they are let through."""
    return cast(InstallationState, value)
