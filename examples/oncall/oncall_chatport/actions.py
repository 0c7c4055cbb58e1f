"""What a press in chat does: the checks, the action as the user who pressed, and what the presser sees at once."""

from collections.abc import Callable
from typing import Any

from chatport_client import models

from oncall_chatport import cards, messages, oncall

OK, FORBIDDEN = 200, 403

# `action_source` stays None: with OnCall's value for its API the log would say "by API" in place of the user's name.
DO: dict[str, Callable[[Any, Any, str | None], None]] = {
    "acknowledge": lambda group, user, _: group.acknowledge_by_user_or_backsync(user=user, action_source=None),
    "unacknowledge": lambda group, user, _: group.un_acknowledge_by_user_or_backsync(user=user, action_source=None),
    "resolve": lambda group, user, _: group.resolve_by_user_or_backsync(user=user, action_source=None),
    "unresolve": lambda group, user, _: group.un_resolve_by_user_or_backsync(user=user, action_source=None),
    "unsilence": lambda group, user, _: group.un_silence_by_user_or_backsync(user=user, action_source=None),
    "silence": lambda group, user, choice: group.silence_by_user_or_backsync(
        user=user, action_source=None, silence_delay=None if choice == cards.FOREVER else int(choice or 0)
    ),
}

NOTICES = {
    "acknowledge": "Acknowledged.",
    "unacknowledge": "No longer acknowledged.",
    "resolve": "Resolved.",
    "unresolve": "No longer resolved.",
    "silence": "Silenced.",
    "unsilence": "No longer silenced.",
}


def press(organization: Any, pressed: models.ActionInvoked) -> tuple[int, models.EventReply]:
    """Do what a press asks for; the status and the body of the answer."""
    message = messages.find(organization, pressed.message)
    if message is None:
        return FORBIDDEN, models.EventReply(notice="This alert group is gone from OnCall.")
    user = oncall.users().filter(organization=organization, public_primary_key=pressed.user).first()
    if user is None:
        return FORBIDDEN, models.EventReply(
            notice="Your account is linked to nobody in OnCall any more. Link it again."
        )
    if not oncall.may_act_on_alert_groups(user):
        return FORBIDDEN, models.EventReply(notice="You may not change alert groups: ask an administrator of OnCall.")

    alert_group = message.alert_group
    offered = {action.id: action for action in cards.actions_for(alert_group)}.get(pressed.action)
    if offered is None:
        # An old card, or two people at once: show how things are instead.
        state = cards.state_of(alert_group)
        return OK, _reply(message, f"Nothing was changed: this alert group is {state} now.")
    if (
        pressed.action == "resolve"
        and organization.is_resolution_note_required
        and not alert_group.has_resolution_notes
    ):
        return FORBIDDEN, models.EventReply(notice="A resolution note is required: resolve this alert group in OnCall.")
    if offered.choices and pressed.choice not in {choice.value for choice in offered.choices}:
        return FORBIDDEN, models.EventReply(notice="This choice isn't known.")
    DO[pressed.action](alert_group, user, pressed.choice)
    return OK, _reply(message, NOTICES[pressed.action])


def _reply(message: Any, notice: str) -> models.EventReply:
    body = messages.next_revision(message)
    if body is None:
        return models.EventReply(notice=notice)
    return models.EventReply(notice=notice, content=body.content, revision=body.revision)
