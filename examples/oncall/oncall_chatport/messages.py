"""Messages at Chatport: which ones an alert group has, how their revisions grow, and what became of them."""

import datetime
import logging
import time
from collections.abc import Iterator
from typing import Any

from chatport_client import UNSET, models
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils import timezone

from oncall_chatport import cards, failures, links, oncall, port, registry
from oncall_chatport.models import Installation, Message
from oncall_chatport.registry import Entry

logger = logging.getLogger(__name__)

# A notification that can't be delivered by then is of no use: OnCall's own apps give up as early.
NOTIFICATION_LIVES = datetime.timedelta(hours=1)


def key_of(alert_group: Any, entry: Entry, name: str = "") -> str:
    """The key of an alert group's message at Chatport; of a notification with a name of its own."""
    return ".".join(filter(None, (alert_group.public_primary_key, entry.slug, name)))


def of(alert_group: Any, with_notifications: bool) -> Iterator[Message]:
    """An alert group's messages: one for each backend in whose channels it is shown, then its notifications. A channel
    is chosen once, so that a changed route doesn't leave half of a thread behind."""
    for entry in registry.entries():
        message = Message.objects.filter(key=key_of(alert_group, entry)).first()
        if message is None and (channel := links.channel_for(alert_group, entry.name)):
            message, _ = Message.objects.get_or_create(
                key=key_of(alert_group, entry),
                defaults={
                    "alert_group": alert_group,
                    "backend": entry.name,
                    "target": {"channel": channel.external_id},
                },
            )
        if message is not None:
            yield message
    if with_notifications:
        yield from _not_given_up().filter(alert_group=alert_group, user__isnull=False).order_by("pk")


def _not_given_up() -> Any:
    """Without the notifications that never came to Chatport: OnCall's log has them as failed, so nothing sends them later."""
    return Message.objects.exclude(user__isnull=False, is_delivered=False, accepted_revision=0)


def alert_groups_behind() -> list[int]:
    """The keys of alert groups whose newest state Chatport hasn't taken: tasks were given up, or lost. What is over and
    was never shown stays so."""
    behind = _not_given_up().filter(is_deleted=False).exclude(revision=F("accepted_revision"), revision__gt=0)
    served = behind.filter(
        backend__in=[entry.name for entry in registry.entries()],
        alert_group__channel__organization__in=oncall.organizations().all(),
    )
    shown_or_open = served.exclude(accepted_revision=0, alert_group__resolved=True)
    return list(shown_or_open.order_by().values_list("alert_group_id", flat=True).distinct())


def notification(
    entry: Entry, alert_group: Any, user: Any, policy: Any, name: str, is_important: bool
) -> Message | None:
    """A notification as a message of its own: a card, told to the person directly, so it needs no thread. None where
    nothing is set up."""
    installation: Installation | None = links.installation(alert_group.channel.organization, entry.name)
    if installation is None:
        return None
    message: Message = Message.objects.get_or_create(
        key=key_of(alert_group, entry, name),
        defaults={
            "alert_group": alert_group,
            "backend": entry.name,
            "target": {"user": user.public_primary_key, "via": installation.external_id},
            "user": user,
            "policy": policy,
            "is_important": is_important,
        },
    )[0]
    return message


def put(message: Message) -> None:
    """Have Chatport show the present state; raises what the client raises."""
    body = next_revision(message)
    if body is not None:
        organization = message.alert_group.channel.organization
        port.chatport_of_tasks().put_message(organization.public_primary_key, message.key, body)
        accepted = Greatest(F("accepted_revision"), body.revision)
        Message.objects.filter(pk=message.pk).update(problem="", accepted_revision=accepted)


def next_revision(message: Message) -> models.PutMessageInput | None:
    """The message as it is to be shown now; None if it was deleted.

    The revision is taken before the content is read, and holds its row until then: whoever has the higher one has read
    later. It is never below the time, so that it grows on after a restored backup.
    """
    entry = registry.entry(message.backend)
    if entry is None:
        return None  # taken out of the settings; what was posted stays as it is
    with transaction.atomic():
        now = int(time.time() * 1000)
        row = Message.objects.filter(pk=message.pk, is_deleted=False)
        if not row.update(revision=Greatest(F("revision") + 1, now)):
            return None
        message.refresh_from_db()
        alert_group = oncall.alert_groups().get(pk=message.alert_group_id)
        target = (
            models.ChannelTarget.from_dict(message.target)
            if message.user_id is None
            else models.UserTargetInput.from_dict(message.target)
        )
        return models.PutMessageInput(
            revision=message.revision,
            targets=[target],
            content=cards.card(entry, alert_group),
            log=cards.log_of(alert_group) if message.user_id is None else [],
            urgency="urgent" if message.is_important else "normal",
            final=alert_group.resolved,
            expires_at=timezone.now() + NOTIFICATION_LIVES
            if message.user_id and message.is_delivered is None
            else UNSET,
        )


def delete(alert_group: Any) -> list[str]:
    """Mark all messages of an alert group as deleted, so that nothing brings them back, and give their keys."""
    rows = Message.objects.filter(alert_group=alert_group)
    rows.update(is_deleted=True)
    return list(rows.values_list("key", flat=True))


def ended(organization: Any, told: models.MessageEvent) -> None:
    """Take over how a revision of a message ended. Of a notification it goes to OnCall's log, once for each outcome."""
    message = find(organization, told.message)
    if message is None or told.copy.log_id:
        return
    failure = told.failure or None
    Message.objects.filter(pk=message.pk).update(problem=f"{failure.code}: {failure.detail}" if failure else "")
    if message.user_id is None:
        return
    row = Message.objects.filter(pk=message.pk)
    # Whoever changes the row writes the log, so two at once don't both.
    if failure is None and row.exclude(is_delivered=True).update(is_delivered=True):
        record(message.backend, message.alert_group, message.user, message.policy)
    elif failure is not None and row.filter(is_delivered=None).update(is_delivered=False):
        record(message.backend, message.alert_group, message.user, message.policy, failure.code, failure.detail)


def find(organization: Any, key: str) -> Message | None:
    """The message with this key, if it is this organization's."""
    found: Message | None = (
        Message.objects.filter(key=key, is_deleted=False).select_related("alert_group__channel__organization").first()
    )
    return found if found and found.alert_group.channel.organization_id == organization.pk else None


def record(backend: str, alert_group: Any, user: Any, policy: Any, failure: str = "", reason: str = "") -> None:
    """Write into OnCall's log how a notification ended; without a failure, that it arrived."""
    log_record, entry = oncall.notification_log_records(), registry.entry(backend)
    log_record.objects.create(
        author=user,
        type=log_record.TYPE_PERSONAL_NOTIFICATION_FAILED if failure else log_record.TYPE_PERSONAL_NOTIFICATION_SUCCESS,
        notification_policy=policy,
        alert_group=alert_group,
        reason=f"{failure}: {reason}" if failure else None,
        notification_step=policy.step if policy else None,
        notification_channel=entry.id if entry else None,
        notification_error_code=failures.code_of(backend, failure) if failure else None,
    )
