"""Integrations, routes, alert groups, alerts and the log. Signals go out after the commit, as the engine's do."""

from functools import partial

from django.db import models, transaction
from django.utils import timezone

from apps.alerts.signals import alert_create_signal, alert_group_action_triggered_signal
from apps.user_management.models import new_key


class AlertReceiveChannel(models.Model):
    organization = models.ForeignKey("user_management.Organization", on_delete=models.CASCADE)
    verbal_name = models.CharField(max_length=150, null=True)
    messaging_backends_templates = models.JSONField(null=True)

    @property
    def emojized_verbal_name(self):
        return self.verbal_name


class ChannelFilter(models.Model):
    alert_receive_channel = models.ForeignKey(
        AlertReceiveChannel, on_delete=models.CASCADE, related_name="channel_filters"
    )
    notification_backends = models.JSONField(null=True, default=None)


class AlertGroup(models.Model):
    public_primary_key = models.CharField(max_length=20, unique=True)
    channel = models.ForeignKey(AlertReceiveChannel, on_delete=models.CASCADE, related_name="alert_groups")
    channel_filter = models.ForeignKey(ChannelFilter, on_delete=models.SET_NULL, null=True)
    inside_organization_number = models.IntegerField(default=1)
    root_alert_group = models.ForeignKey("self", on_delete=models.SET_NULL, null=True)
    resolved = models.BooleanField(default=False)
    resolved_by_user = models.ForeignKey("user_management.User", models.SET_NULL, null=True, related_name="+")
    acknowledged = models.BooleanField(default=False)
    acknowledged_by_user = models.ForeignKey("user_management.User", models.SET_NULL, null=True, related_name="+")
    silenced = models.BooleanField(default=False)
    silenced_until = models.DateTimeField(null=True)
    has_resolution_notes = False

    @property
    def web_link(self):
        return f"https://grafana.example.com/a/grafana-oncall-app/alert-groups/{self.public_primary_key}"

    def _act(self, kind, user, action_source, **values):
        for name, value in values.items():
            setattr(self, name, value)
        self.save()
        with transaction.atomic():
            record = self.log_records.create(type=kind, author=user, action_source=action_source)
            transaction.on_commit(partial(tell, record.pk))

    def acknowledge_by_user_or_backsync(self, user=None, action_source=None):
        marks = {"resolved": False, "silenced": False, "acknowledged": True, "acknowledged_by_user": user}
        self._act(AlertGroupLogRecord.TYPE_ACK, user, action_source, **marks)

    def un_acknowledge_by_user_or_backsync(self, user=None, action_source=None):
        self._act(AlertGroupLogRecord.TYPE_UN_ACK, user, action_source, acknowledged=False, acknowledged_by_user=None)

    def resolve_by_user_or_backsync(self, user=None, action_source=None):
        marks = {"resolved": True, "silenced": False, "resolved_by_user": user}
        self._act(AlertGroupLogRecord.TYPE_RESOLVED, user, action_source, **marks)

    def un_resolve_by_user_or_backsync(self, user=None, action_source=None):
        self._act(AlertGroupLogRecord.TYPE_UN_RESOLVED, user, action_source, resolved=False, resolved_by_user=None)

    def silence_by_user_or_backsync(self, user=None, silence_delay=None, action_source=None):
        until = timezone.now() + timezone.timedelta(seconds=silence_delay) if silence_delay else None
        marks = {"resolved": False, "acknowledged": False, "silenced": True, "silenced_until": until}
        self._act(AlertGroupLogRecord.TYPE_SILENCE, user, action_source, **marks)

    def un_silence_by_user_or_backsync(self, user=None, action_source=None):
        self._act(AlertGroupLogRecord.TYPE_UN_SILENCE, user, action_source, silenced=False, silenced_until=None)

    def delete_by_user(self, user):
        """Tells of the deletion, then deletes."""
        record = self.log_records.create(type=AlertGroupLogRecord.TYPE_DELETED, author=user)
        alert_group_action_triggered_signal.send(sender=AlertGroup, log_record=record.pk, force_sync=True)
        self.delete()


def tell(record_pk):
    alert_group_action_triggered_signal.send(sender=AlertGroup, log_record=record_pk)


class Alert(models.Model):
    group = models.ForeignKey(AlertGroup, on_delete=models.CASCADE, related_name="alerts")
    raw_request_data = models.JSONField(default=dict)

    @classmethod
    def receive(cls, route, title, message="", group=None):
        """An alert comes in, for a group or as the first of a new one."""
        group = group or AlertGroup.objects.create(
            public_primary_key=new_key("I"), channel=route.alert_receive_channel, channel_filter=route
        )
        alert = cls.objects.create(group=group, raw_request_data={"title": title, "message": message})
        transaction.on_commit(partial(alert_create_signal.send, sender=cls, alert=alert.pk))
        return alert


class AlertGroupLogRecord(models.Model):
    TYPE_ACK, TYPE_UN_ACK, TYPE_SILENCE, TYPE_ATTACHED, TYPE_UNATTACHED = 0, 1, 7, 8, 9
    TYPE_AUTO_UN_ACK, TYPE_RESOLVED, TYPE_UN_RESOLVED, TYPE_UN_SILENCE, TYPE_DELETED = 11, 13, 14, 15, 20
    VERBS = {0: "acknowledged", 1: "unacknowledged", 7: "silenced", 13: "resolved", 14: "unresolved", 15: "unsilenced"}

    type = models.IntegerField()
    author = models.ForeignKey("user_management.User", models.SET_NULL, null=True)
    action_source = models.SmallIntegerField(null=True)
    alert_group = models.ForeignKey(AlertGroup, on_delete=models.CASCADE, related_name="log_records")

    def rendered_log_line_action(self):
        who = self.author.username if self.action_source is None and self.author else "API"
        return f"{self.VERBS[self.type]} by {who}"
