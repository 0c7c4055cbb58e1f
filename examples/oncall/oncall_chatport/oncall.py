"""Everything of the engine that is used beyond Django, in one place: what to look at when the engine changes.

Models are imported when they are asked for, since this module is read before the apps are ready.
"""

from typing import Any

from oncall_chatport.registry import Entry


def alert_groups() -> Any:
    from apps.alerts.models import AlertGroup

    return AlertGroup.objects


def alerts() -> Any:
    from apps.alerts.models import Alert

    return Alert.objects


def log_records() -> Any:
    from apps.alerts.models import AlertGroupLogRecord

    return AlertGroupLogRecord


def channel_filters() -> Any:
    from apps.alerts.models import ChannelFilter

    return ChannelFilter.objects


def organizations() -> Any:
    from apps.user_management.models import Organization

    return Organization.objects


def users() -> Any:
    """The manager whose `filter` leaves out those who have left; it takes no `is_active` of its own."""
    from apps.user_management.models import User

    return User.objects


def notification_policies() -> Any:
    from apps.base.models import UserNotificationPolicy

    return UserNotificationPolicy


def notification_log_records() -> Any:
    from apps.base.models import UserNotificationPolicyLogRecord

    return UserNotificationPolicyLogRecord


def may_act_on_alert_groups(user: Any) -> bool:
    """Whether this user may press buttons: the permission that OnCall asks for in its own chat apps."""
    from apps.api.permissions import RBACPermission, user_is_authorized

    return bool(user_is_authorized(user, [RBACPermission.Permissions.ALERT_GROUPS_WRITE]))


def templater_class(entry: Entry) -> type[Any]:
    """What renders an alert by the templates of this backend."""
    from apps.alerts.incident_appearance.templaters.alert_templater import AlertTemplater

    return type(
        f"{entry.label.title().replace(' ', '')}Templater", (AlertTemplater,), {"_render_for": lambda _: entry.slug}
    )
