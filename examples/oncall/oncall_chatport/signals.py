"""What OnCall tells of alert groups. The receivers only enqueue: they run inside OnCall's own tasks."""

from typing import Any

from oncall_chatport import messages, oncall, tasks


def connect() -> None:
    """Hear OnCall's signals; a second call changes nothing."""
    from apps.alerts.signals import alert_create_signal, alert_group_action_triggered_signal

    alert_create_signal.connect(on_alert, dispatch_uid="oncall_chatport.alert")
    alert_group_action_triggered_signal.connect(on_action, dispatch_uid="oncall_chatport.action")


def on_alert(alert: int, **_: Any) -> None:
    """A new alert, the first of its group or a later one: the card changes either way. Notifications show how a group
    stands, which an alert more doesn't change."""
    alert_group_pk = oncall.alerts().filter(pk=alert).values_list("group_id", flat=True).first()
    if alert_group_pk:
        tasks.refresh_alert_group.delay(alert_group_pk, with_notifications=False)


def on_action(log_record: Any, **_: Any) -> None:
    """An alert group was acknowledged, resolved, silenced, …, or is about to be deleted."""
    kind = oncall.log_records()
    record = log_record if isinstance(log_record, kind) else kind.objects.filter(pk=log_record).first()
    if record is None:
        return
    if record.type == kind.TYPE_DELETED:
        # The rows go with the alert group, right after this.
        if keys := messages.delete(record.alert_group):
            organization = record.alert_group.channel.organization
            tasks.delete_messages.apply_async((organization.public_primary_key, keys), countdown=tasks.SENDING_TAKES)
    else:
        tasks.refresh_alert_group.delay(record.alert_group_id, with_notifications=True)
