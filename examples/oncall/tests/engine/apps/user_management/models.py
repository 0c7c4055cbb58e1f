"""Organizations and their users."""

import secrets

from django.db import models


def new_key(prefix):
    return prefix + secrets.token_hex(6).upper()


class Organization(models.Model):
    public_primary_key = models.CharField(max_length=20, unique=True)
    org_title = models.CharField(max_length=300, default="")
    is_resolution_note_required = models.BooleanField(default=False)
    deleted_at = models.DateTimeField(null=True)


class UserQuerySet(models.QuerySet):
    def filter(self, *args, **kwargs):
        """Leaves out those who have left, and fails where somebody asks for that himself: as the engine's does."""
        return super().filter(*args, **kwargs, is_active=True)


class User(models.Model):
    objects = UserQuerySet.as_manager()

    ADMIN, EDITOR, VIEWER = 0, 1, 2

    public_primary_key = models.CharField(max_length=20, unique=True)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="users")
    username = models.CharField(max_length=300)
    role = models.PositiveSmallIntegerField(default=EDITOR)
    is_active = models.BooleanField(null=True, default=True)
    is_authenticated = True
