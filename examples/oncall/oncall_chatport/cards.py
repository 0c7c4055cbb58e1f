"""What an alert group looks like in chat: one document, whatever the platform, from OnCall's templates."""

import re
from typing import Any

from chatport_client import UNSET, models

from oncall_chatport import oncall
from oncall_chatport.registry import Entry

MAX_TITLE = 500
MAX_TEXT = 20_000
# Silencing by the menu, in seconds; for ever is a word of its own.
FOREVER = "forever"
SILENCES = (
    ("1800", "30 minutes"),
    ("3600", "1 hour"),
    ("7200", "2 hours"),
    ("14400", "4 hours"),
    ("43200", "12 hours"),
    ("86400", "1 day"),
    (FOREVER, "for ever"),
)
# How many lines of the log go along; Chatport posts each once, so earlier ones needn't.
MAX_LOG = 50

ACKNOWLEDGE = models.ActionInput("acknowledge", "Acknowledge", style="primary")
UNACKNOWLEDGE = models.ActionInput("unacknowledge", "Unacknowledge")
RESOLVE = models.ActionInput("resolve", "Resolve", style="success")
UNRESOLVE = models.ActionInput("unresolve", "Unresolve")
SILENCE = models.ActionInput(
    "silence", "Silence", choices=[models.Choice(label=words, value=key) for key, words in SILENCES]
)
UNSILENCE = models.ActionInput("unsilence", "Unsilence")

ACTIONS: dict[models.State, list[models.ActionInput]] = {
    "firing": [ACKNOWLEDGE, RESOLVE, SILENCE],
    "acknowledged": [UNACKNOWLEDGE, RESOLVE, SILENCE],
    "silenced": [ACKNOWLEDGE, RESOLVE, UNSILENCE],
    "resolved": [UNRESOLVE],
}


def state_of(alert_group: Any) -> models.State:
    """How an alert group stands, where several marks are set the one that OnCall goes by."""
    if alert_group.resolved:
        return "resolved"
    if alert_group.acknowledged:
        return "acknowledged"
    return "silenced" if alert_group.silenced else "firing"


def actions_for(alert_group: Any) -> list[models.ActionInput]:
    """What can be pressed now. What is attached to another group follows that one."""
    return [] if alert_group.root_alert_group_id else ACTIONS[state_of(alert_group)]


def card(entry: Entry, alert_group: Any) -> models.ContentInput:
    """The document of an alert group, by the templates of this backend."""
    alert = alert_group.alerts.order_by("pk").last()
    shown = oncall.templater_class(entry)(alert).render() if alert else None
    title = _one_line(getattr(shown, "title", None) or "Alert")
    image = getattr(shown, "image_url", None) or ""
    return models.ContentInput(
        state=state_of(alert_group),
        title=f"#{alert_group.inside_organization_number} {title}"[:MAX_TITLE],
        text=(getattr(shown, "message", None) or "").strip()[:MAX_TEXT],
        image=models.ImageInput(url=image, alt=title[:MAX_TITLE]) if re.match(r"https?://[^\s]+$", image) else UNSET,
        link=models.Link(url=alert_group.web_link, label="Open in OnCall"),
        facts=[models.FactInput(name, _one_line(value), short=True) for name, value in _facts(alert_group)],
        actions=actions_for(alert_group),
    )


def _facts(alert_group: Any) -> list[tuple[str, str]]:
    facts = [("Integration", alert_group.channel.emojized_verbal_name), ("Alerts", str(alert_group.alerts.count()))]
    if alert_group.root_alert_group_id:
        facts.append(("Attached to", f"#{alert_group.root_alert_group.inside_organization_number}"))
    state = state_of(alert_group)
    if state == "acknowledged":
        facts.append(("Acknowledged by", _who(alert_group.acknowledged_by_user)))
    elif state == "resolved":
        facts.append(("Resolved by", _who(alert_group.resolved_by_user)))
    elif state == "silenced":
        until = alert_group.silenced_until
        facts.append(("Silenced until", f"{until:%Y-%m-%d %H:%M} UTC" if until else "somebody ends it"))
    return [(name, value) for name, value in facts if value]


def _who(user: Any) -> str:
    return str(user.username) if user else "OnCall"


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def log_of(alert_group: Any) -> list[models.LogLine]:
    """What people did, as lines for the thread."""
    record = oncall.log_records()
    told = (
        record.TYPE_ACK,
        record.TYPE_UN_ACK,
        record.TYPE_AUTO_UN_ACK,
        record.TYPE_RESOLVED,
        record.TYPE_UN_RESOLVED,
        record.TYPE_SILENCE,
        record.TYPE_UN_SILENCE,
        record.TYPE_ATTACHED,
        record.TYPE_UNATTACHED,
    )
    newest = alert_group.log_records.filter(type__in=told).order_by("-pk")[:MAX_LOG]
    return [models.LogLine(id=str(each.pk), text=each.rendered_log_line_action()) for each in reversed(newest)]
