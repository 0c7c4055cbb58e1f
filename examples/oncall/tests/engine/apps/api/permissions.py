"""Permissions by role: the lower the number, the more a user may."""

from rest_framework import permissions


def user_is_authorized(user, required_permissions):
    return all(user.role <= role for role in required_permissions)


class RBACPermission(permissions.BasePermission):
    class Permissions:
        ALERT_GROUPS_WRITE = 1
        CHATOPS_READ = 2
        CHATOPS_UPDATE_SETTINGS = 0

    def has_permission(self, request, view):
        wanted = view.rbac_permissions[getattr(view, "action", None) or request.method.lower()]
        return user_is_authorized(request.user, wanted)
