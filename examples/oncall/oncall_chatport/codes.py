"""Verification codes: asked of Chatport when somebody wants one, with a clear error where that fails."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from chatport_client import ChatportError, Problem, models
from rest_framework import status
from rest_framework.exceptions import APIException

from oncall_chatport import links, port
from oncall_chatport.registry import Entry

# Backends whose screens OnCall's UI has already; these show the bare code.
WITH_SCREENS = ("MATTERMOST", "MSTEAMS")
# What Chatport answers that the asker can do something about.
PASSED_ON = (404, 409, 422, 429)


class Refusal(APIException):  # type: ignore[misc]
    """Why something can't be had from Chatport, as an answer of OnCall's API."""

    def __init__(self, status_code: int, detail: str) -> None:
        self.status_code = status_code
        super().__init__(detail)


@contextmanager
def explained(entry: Entry) -> Iterator[None]:
    """Turns what goes wrong at Chatport into such an answer."""
    try:
        yield
    except ChatportError as error:
        if port.may_pass(error) and getattr(error, "slug", "") != "too-many-requests":
            words = (
                f"{entry.label} can't be reached at the moment, since Chatport doesn't answer. Try again in a minute."
            )
            raise Refusal(status.HTTP_503_SERVICE_UNAVAILABLE, words) from error
        assert isinstance(error, Problem)
        known = error.status in PASSED_ON
        words = " ".join(filter(None, (error.details.detail or error.details.title, error.details.cure)))
        raise Refusal(error.status if known else status.HTTP_502_BAD_GATEWAY, f"{entry.label}: {words}") from error


def for_user(entry: Entry, user: Any) -> models.CodeView:
    """A code that links this user."""
    return _new(entry, user.organization, "user", user.public_primary_key)


def for_channel(entry: Entry, organization: Any) -> models.CodeView:
    """A code that connects the conversation in which it is posted."""
    return _new(entry, organization, "channel", None)


def shown(entry: Entry, code: models.CodeView) -> Any:
    """A code as the endpoints of OnCall answer it."""
    return code.code if entry.name in WITH_SCREENS else code.to_dict()


def _new(entry: Entry, organization: Any, purpose: models.Purpose, user: str | None) -> models.CodeView:
    installation = set_up(entry, organization)
    wanted = models.NewCode(purpose=purpose, installation=installation.external_id, user=user)
    with explained(entry):
        return port.chatport().create_verification_code(organization.public_primary_key, wanted)


def set_up(entry: Entry, organization: Any) -> Any:
    """What serves this entry for this organization; refused where nothing does."""
    installation = links.installation(organization, entry.name)
    if installation is None:
        raise Refusal(
            status.HTTP_409_CONFLICT,
            f"{entry.label} isn't set up for this organization. An operator does so by "
            f"`manage.py chatport_setup --organization {organization.public_primary_key} --backend {entry.name}`.",
        )
    return installation
