"""Personal notification policies and the log of what became of them."""

import enum

from django.db import models

from apps.base.messaging import get_messaging_backends

# Built at import, as the engine does: two backends with one name or number stop it.
BUILT_IN = {"SLACK": 0, "SMS": 1, "PHONE_CALL": 2, "TELEGRAM": 3}
NotificationChannel = enum.unique(
    enum.IntEnum(
        "NotificationChannel",
        [*BUILT_IN.items(), *((name, each.notification_channel_id) for name, each in get_messaging_backends())],
    )
)


class UserNotificationPolicy(models.Model):
    NOTIFY = 1
    NotificationChannel = NotificationChannel

    user = models.ForeignKey("user_management.User", on_delete=models.CASCADE)
    step = models.PositiveSmallIntegerField(default=NOTIFY)
    notify_by = models.PositiveSmallIntegerField()
    important = models.BooleanField(default=False)


class UserNotificationPolicyLogRecord(models.Model):
    TYPE_PERSONAL_NOTIFICATION_TRIGGERED = 0
    TYPE_PERSONAL_NOTIFICATION_SUCCESS = 2
    TYPE_PERSONAL_NOTIFICATION_FAILED = 3

    ERROR_NOTIFICATION_TELEGRAM_IS_NOT_LINKED_TO_SLACK_ACC = 8
    ERROR_NOTIFICATION_TELEGRAM_BOT_IS_DELETED = 14
    ERROR_NOTIFICATION_IN_SLACK_TOKEN_ERROR = 18
    ERROR_NOTIFICATION_IN_SLACK_USER_NOT_IN_SLACK = 19
    ERROR_NOTIFICATION_IN_SLACK_USER_NOT_IN_CHANNEL = 20
    ERROR_NOTIFICATION_TELEGRAM_TOKEN_ERROR = 21
    ERROR_NOTIFICATION_IN_SLACK_CHANNEL_IS_ARCHIVED = 22
    ERROR_NOTIFICATION_IN_SLACK_RATELIMIT = 23
    ERROR_NOTIFICATION_MESSAGING_BACKEND_ERROR = 24
    ERROR_NOTIFICATION_FORBIDDEN = 25
    ERROR_NOTIFICATION_TELEGRAM_USER_IS_DEACTIVATED = 26
    ERROR_NOTIFICATION_FORMATTING_ERROR = 28
    ERROR_NOTIFICATION_IN_TELEGRAM_RATELIMIT = 29
    ERROR_NOTIFICATION_IN_MATTERMOST_USER_NOT_IN_MATTERMOST = 30
    ERROR_NOTIFICATION_IN_MATTERMOST_ALERT_GROUP_MESSAGE_NOT_FOUND = 31
    ERROR_NOTIFICATION_IN_MATTERMOST_API_TOKEN_INVALID = 32
    ERROR_NOTIFICATION_IN_MATTERMOST_API_UNAUTHORIZED = 33

    author = models.ForeignKey("user_management.User", on_delete=models.SET_NULL, null=True)
    type = models.IntegerField()
    notification_policy = models.ForeignKey(UserNotificationPolicy, on_delete=models.SET_NULL, null=True)
    alert_group = models.ForeignKey("alerts.AlertGroup", on_delete=models.CASCADE, related_name="personal_log_records")
    reason = models.TextField(null=True)
    notification_error_code = models.PositiveIntegerField(null=True)
    notification_step = models.IntegerField(null=True)
    notification_channel = models.IntegerField(null=True)
