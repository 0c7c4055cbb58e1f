"""What is sent goes through Celery, on queues that OnCall's workers serve already (see the settings), with bounded
retries.

A task renders when it runs, so a late one shows the state of then. While Chatport is away nothing is lost: tasks wait.
"""

import datetime
import logging
from contextlib import suppress
from typing import Any

from celery import shared_task
from chatport_client import ChatportError, NotFound, Problem
from django.utils import timezone

from oncall_chatport import links, messages, oncall, port, registry
from oncall_chatport.models import SeenEvent

logger = logging.getLogger(__name__)

# A retry waits 1, 2, 4, … seconds, then five minutes each time.
LONGEST_WAIT = 300
RETRIES_OF_AN_HOUR = 20
RETRIES_OF_A_DAY = 295
# Events are delivered for seven days; after that none of them can come twice.
REMEMBER_EVENTS = datetime.timedelta(days=8)
# What is being sent when an alert group is deleted may arrive until then; the deletion comes after it.
SENDING_TAKES = 2 * port.PATIENCE_OF_TASKS


def _wait(retries: int, error: ChatportError) -> float:
    asked = error.retry_after if isinstance(error, Problem) else None
    return max(min(2.0**retries, LONGEST_WAIT), asked or 0)


@shared_task(bind=True, max_retries=RETRIES_OF_A_DAY)  # type: ignore[untyped-decorator]
def refresh_alert_group(self: Any, alert_group_pk: int, with_notifications: bool) -> None:
    """Have every message of an alert group show its present state."""
    alert_group = oncall.alert_groups().filter(pk=alert_group_pk).first()
    if alert_group is None:
        return
    for message in messages.of(alert_group, with_notifications):
        try:
            messages.put(message)
        except ChatportError as error:
            if port.may_pass(error):
                raise self.retry(exc=error, countdown=_wait(self.request.retries, error)) from error
            logger.error("message %s was refused: %s", message.key, error)
            message.problem = str(error)
            message.save(update_fields=["problem"])


@shared_task(bind=True, max_retries=RETRIES_OF_AN_HOUR)  # type: ignore[untyped-decorator]
def send_notification(
    self: Any, *, backend: str, name: str, user_pk: int, alert_group_pk: int, policy_pk: int | None, is_important: bool
) -> None:
    """Tell a user of an alert group. What can't be sent ends in OnCall's log, at the latest after an hour."""
    user = oncall.users().filter(pk=user_pk).first()
    alert_group = oncall.alert_groups().filter(pk=alert_group_pk).first()
    policy = oncall.notification_policies().objects.filter(pk=policy_pk).first()
    entry = registry.entry(backend)
    if user is None or alert_group is None or entry is None:
        return
    if alert_group.resolved:
        messages.record(backend, alert_group, user, policy, "expired", "the alert group was resolved before")
        return
    message = messages.notification(entry, alert_group, user, policy, name, is_important)
    if message is None:
        messages.record(backend, alert_group, user, policy, "installation_missing", f"{entry.label} isn't set up")
        return
    try:
        messages.put(message)
    except ChatportError as error:
        if port.may_pass(error) and self.request.retries < self.max_retries:
            raise self.retry(exc=error, countdown=_wait(self.request.retries, error)) from error
        failure = "platform_unavailable" if port.may_pass(error) else "content_rejected"
        message.is_delivered, message.problem = False, str(error)
        message.save(update_fields=["is_delivered", "problem"])
        messages.record(backend, alert_group, user, policy, failure, str(error))


@shared_task(bind=True, max_retries=RETRIES_OF_A_DAY)  # type: ignore[untyped-decorator]
def delete_messages(self: Any, organization_key: str, keys: list[str]) -> None:
    """Take the messages of a deleted alert group away. Their rows may be gone already."""
    for key in keys:
        try:
            with suppress(NotFound):
                port.chatport_of_tasks().delete_message(organization_key, key)
        except ChatportError as error:
            if port.may_pass(error):
                raise self.retry(exc=error, countdown=_wait(self.request.retries, error)) from error
            logger.error("message %s couldn't be deleted: %s", key, error)


@shared_task  # type: ignore[untyped-decorator]
def read_everything_again() -> None:
    """Nightly: compare the local tables with Chatport, and forget old events."""
    for organization in links.organizations():
        read_organization.delay(organization.pk)
    SeenEvent.objects.filter(seen_at__lt=timezone.now() - REMEMBER_EVENTS).delete()


@shared_task(bind=True, max_retries=RETRIES_OF_AN_HOUR)  # type: ignore[untyped-decorator]
def read_organization(self: Any, organization_pk: int) -> None:
    """Read an organization's links and channels in bulk."""
    organization = oncall.organizations().filter(pk=organization_pk).first()
    if organization is None:
        return
    try:
        links.read_everything(organization)
    except ChatportError as error:
        if port.may_pass(error):
            raise self.retry(exc=error, countdown=_wait(self.request.retries, error)) from error
        logger.error("organization %s couldn't be read: %s", organization.public_primary_key, error)
