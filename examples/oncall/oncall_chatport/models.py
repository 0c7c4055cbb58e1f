"""The local copy of what Chatport knows, and what was sent there.

Every list and every screen reads these tables; Chatport's events and a nightly reading in bulk write them.
"""

from django.db import models


class Installation(models.Model):  # type: ignore[misc]
    """A platform set up for an organization. The choice of the backend that it serves is kept here alone."""

    organization = models.ForeignKey("user_management.Organization", on_delete=models.CASCADE, related_name="+")
    backend = models.CharField(max_length=100)  # an entry's name
    external_id = models.CharField(max_length=64, unique=True)
    state = models.CharField(max_length=16)  # pending, active, suspended, removed
    problem = models.TextField(default="")
    updated_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["organization", "backend"])]


class Link(models.Model):  # type: ignore[misc]
    """A user's account on a platform, or a channel there. What is gone stays, so that late news can't bring it back."""

    class Kind(models.TextChoices):  # type: ignore[misc]
        USER = "user"
        CHANNEL = "channel"

    installation = models.ForeignKey(Installation, on_delete=models.CASCADE, related_name="links")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    external_id = models.CharField(max_length=64, unique=True)
    user = models.ForeignKey("user_management.User", on_delete=models.CASCADE, null=True, related_name="+")
    platform_id = models.CharField(max_length=255, default="")  # of the account
    name = models.CharField(max_length=255, default="")
    display_name = models.CharField(max_length=255, default="")
    team = models.CharField(max_length=255, default="")
    is_default = models.BooleanField(default=False)
    is_lost = models.BooleanField(default=False)  # a channel that the bot was taken out of
    is_gone = models.BooleanField(default=False)
    updated_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["installation", "kind", "is_gone"]), models.Index(fields=["user", "is_gone"])]


class Message(models.Model):  # type: ignore[misc]
    """One message at Chatport: an alert group in a channel, or a notification of a user about it."""

    # Without constraints in the database: the engine deletes these rows in ways of its own.
    alert_group = models.ForeignKey(
        "alerts.AlertGroup", on_delete=models.CASCADE, db_constraint=False, related_name="+"
    )
    backend = models.CharField(max_length=100)
    key = models.CharField(max_length=128, unique=True)
    target = models.JSONField()
    revision = models.BigIntegerField(default=0)
    is_deleted = models.BooleanField(default=False)
    problem = models.TextField(default="")  # why it isn't shown, as far as is known

    # Of a notification.
    user = models.ForeignKey("user_management.User", on_delete=models.CASCADE, null=True, related_name="+")
    policy = models.ForeignKey(
        "base.UserNotificationPolicy", on_delete=models.SET_NULL, null=True, db_constraint=False, related_name="+"
    )
    is_important = models.BooleanField(default=False)
    is_delivered = models.BooleanField(null=True)  # not known yet

    class Meta:
        indexes = [models.Index(fields=["alert_group", "backend"])]


class SeenEvent(models.Model):  # type: ignore[misc]
    """An event that was taken: it may come twice."""

    id = models.CharField(max_length=64, primary_key=True)
    seen_at = models.DateTimeField(auto_now_add=True, db_index=True)
