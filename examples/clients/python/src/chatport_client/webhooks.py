"""Events as Chatport posts them: signed as Standard Webhooks describes, parsed into typed objects."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from .generated.client import AnyEvent
from .generated.models import EventPage
from .problems import ChatportError


class NotGenuine(ChatportError):
    """Not signed with the subscription's secret, or signed more than five minutes ago. Answer 401."""


class Webhooks:
    """Verifies and reads what is posted to a subscription's URL.

    `secret` is what the answer that made the subscription has. While it is rotated, Chatport signs with the old and
    the new one, so either will do.
    """

    def __init__(self, secret: str) -> None:
        self._webhook = Webhook(secret)

    def event(self, headers: Mapping[str, str], body: bytes) -> AnyEvent:
        """The event in a request with these headers and this body, as it came. It may come again: remember its `id`.

        Raises `NotGenuine`."""
        try:
            self._webhook.verify(body, dict(headers), json_parse=False)
        except (WebhookVerificationError, ValueError) as error:
            raise NotGenuine(str(error)) from error
        return parse_event(json.loads(body))


def parse_event(event: dict[str, Any]) -> AnyEvent:
    """An event from JSON, e.g. from a stream. One of a kind that is new to this client is an `UnknownEvent`."""
    return EventPage.from_dict({"items": [event], "next": 0}).items[0]
