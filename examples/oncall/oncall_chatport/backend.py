"""The one class behind every chat platform, as OnCall knows messaging backends.

`oncall_chatport.backend.CHAT_MATRIX` is that class for the entry `CHAT_MATRIX`: OnCall loads backends by a dotted path,
and a module may make its attributes.
"""

import uuid
from functools import partial
from typing import Any

from apps.base.messaging import BaseMessagingBackend
from django.core.exceptions import ObjectDoesNotExist
from rest_framework import serializers

from oncall_chatport import codes, links, oncall, registry


def __getattr__(name: str) -> Any:
    entry = registry.entry(name)
    if entry is None:
        raise AttributeError(f"{name} isn't an entry of {registry.VARIABLE}")
    return partial(ChatportBackend, entry=entry)


class ChatportBackend(BaseMessagingBackend):  # type: ignore[misc]
    """One entry of the registry as a messaging backend. Whatever reads, reads the local tables alone."""

    available_for_use = True
    # OnCall previews templates of backends that have a path here; the class comes from `get_templater_class`.
    templater = "oncall_chatport.oncall.templater_class"

    def __init__(self, *args: Any, entry: registry.Entry, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.entry = entry
        self.backend_id = entry.name
        self.label = self.short_label = entry.label

    def get_templater_class(self) -> type[Any]:
        return oncall.templater_class(self.entry)

    def is_enabled_for_organization(self, organization: Any) -> bool:
        return links.installation(organization, self.backend_id) is not None

    def is_configured_for_organization(self, organization: Any) -> bool:
        return self.is_enabled_for_organization(organization)

    def serialize_user(self, user: Any) -> dict[str, str] | None:
        link = links.of_user(user, self.backend_id)
        return link and {"id": link.platform_id, "username": link.name, "name": link.display_name or link.name}

    def generate_user_verification_code(self, user: Any) -> Any:
        return codes.shown(self.entry, codes.for_user(self.entry, user))

    def generate_channel_verification_code(self, organization: Any) -> Any:
        return codes.shown(self.entry, codes.for_channel(self.entry, organization))

    def unlink_user(self, user: Any) -> None:
        with codes.explained(self.entry):
            was_linked = links.unlink(user, self.backend_id)
        if not was_linked:
            raise ObjectDoesNotExist(f"{user} has no account linked in {self.label}")

    def validate_channel_filter_data(self, organization: Any, data: Any) -> dict[str, Any]:
        data = data or {}
        checked: dict[str, Any] = {}
        if "enabled" in data:
            checked["enabled"] = bool(data["enabled"])
        if "channel" in data:
            channel = data["channel"] or None
            if channel and not links.channels(organization, self.backend_id).filter(external_id=channel).exists():
                raise serializers.ValidationError([f"Invalid {self.label} channel id"])
            checked["channel"] = channel
        return checked

    def notify_user(self, user: Any, alert_group: Any, notification_policy: Any) -> None:
        """Only enqueue: OnCall tries again for ever whatever is raised here."""
        from oncall_chatport.tasks import send_notification

        send_notification.delay(
            backend=self.backend_id,
            # A name of its own each time: the same step may notify the same user again.
            name=uuid.uuid4().hex[:12],
            user_pk=user.pk,
            alert_group_pk=alert_group.pk,
            policy_pk=getattr(notification_policy, "pk", None),
            is_important=bool(getattr(notification_policy, "important", False)),
        )
