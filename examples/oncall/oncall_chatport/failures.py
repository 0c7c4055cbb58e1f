"""Chatport's failure codes as OnCall's, for the log of an alert group.

OnCall's codes name platforms in their texts, so most of them fit one platform alone; the rest is code 24, "failed to
notify … by (label)", with the reason in the record.
"""

from oncall_chatport import oncall

# By OnCall's names of the codes, without `ERROR_NOTIFICATION_`: of a backend, or of any.
MESSAGING_BACKEND = "MESSAGING_BACKEND_ERROR"
OF_ANY = {
    "content_rejected": "FORMATTING_ERROR",
    "permission_denied": "FORBIDDEN",
}
OF_BACKEND = {
    "MATTERMOST": {
        "account_not_linked": "IN_MATTERMOST_USER_NOT_IN_MATTERMOST",
        "installation_missing": "IN_MATTERMOST_API_TOKEN_INVALID",
        "installation_revoked": "IN_MATTERMOST_API_TOKEN_INVALID",
        "permission_denied": "IN_MATTERMOST_API_UNAUTHORIZED",
        "reply_root_missing": "IN_MATTERMOST_ALERT_GROUP_MESSAGE_NOT_FOUND",
    },
    "CHAT_TELEGRAM": {
        "account_not_linked": "TELEGRAM_IS_NOT_LINKED_TO_SLACK_ACC",
        "recipient_blocked_bot": "TELEGRAM_BOT_IS_DELETED",
        "recipient_deactivated": "TELEGRAM_USER_IS_DEACTIVATED",
        "installation_missing": "TELEGRAM_TOKEN_ERROR",
        "installation_revoked": "TELEGRAM_TOKEN_ERROR",
        "rate_limited": "IN_TELEGRAM_RATELIMIT",
    },
    "CHAT_SLACK": {
        "account_not_linked": "IN_SLACK_USER_NOT_IN_SLACK",
        "recipient_unreachable": "IN_SLACK_USER_NOT_IN_CHANNEL",
        "channel_archived": "IN_SLACK_CHANNEL_IS_ARCHIVED",
        "installation_missing": "IN_SLACK_TOKEN_ERROR",
        "installation_revoked": "IN_SLACK_TOKEN_ERROR",
        "rate_limited": "IN_SLACK_RATELIMIT",
    },
}


def code_of(backend: str, failure: str) -> int:
    """OnCall's code for this failure of Chatport's."""
    name = OF_BACKEND.get(backend, {}).get(failure) or OF_ANY.get(failure, MESSAGING_BACKEND)
    return int(getattr(oncall.notification_log_records(), f"ERROR_NOTIFICATION_{name}"))
