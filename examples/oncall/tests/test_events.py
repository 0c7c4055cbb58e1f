"""The view that takes Chatport's events: who may send one, how often it counts, and what a press does."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from apps.alerts.models import Alert, AlertGroup
from conftest import make_organization, post_signed
from django.test import Client

from oncall_chatport import messages, registry
from oncall_chatport.models import Link, SeenEvent

Press = Callable[..., Any]


@pytest.fixture
def group(installed: Any) -> AlertGroup:
    """Shown in its channel."""
    group: AlertGroup = Alert.receive(installed.route, "Disk full").group
    list(messages.of(group, with_notifications=False))
    return group


@pytest.fixture
def press(installed: Any, group: AlertGroup, tell: Any) -> Press:
    def press(
        action: str, person: Any = None, choice: str | None = None, organization: str = "OACME", **more: Any
    ) -> Any:
        pressed = {
            "installation": "installation-1", "backend": "sandbox", "message": f"{group.public_primary_key}.mattermost",
            "revision": 1, "copy": "copy-1", "channel": None, "action": action, "choice": choice,
            "user": (person or installed.ada).public_primary_key,
            "account": {"id": "p-ada", "username": "ada", "display_name": "Ada"},
        }  # fmt: skip
        answer = tell("action.invoked", organization, pressed, **more)
        group.refresh_from_db()
        return answer

    return press


def test_a_press_is_answered_with_a_notice_and_the_new_content(press: Press, group: AlertGroup, installed: Any) -> None:
    answer = press("acknowledge")
    told = answer.json()
    assert (answer.status_code, told["notice"]) == (200, "Acknowledged.")
    assert told["content"]["state"] == "acknowledged"
    assert {"name": "Acknowledged by", "value": "ada", "short": True} in told["content"]["facts"]
    assert told["revision"] == messages.find(installed.row, f"{group.public_primary_key}.mattermost").revision
    assert group.acknowledged and group.acknowledged_by_user == installed.ada


def test_the_log_names_the_person_and_no_api(press: Press, group: AlertGroup) -> None:
    press("resolve")
    record = group.log_records.get()
    assert record.action_source is None
    assert record.rendered_log_line_action() == "resolved by ada"


@pytest.mark.parametrize(("choice", "has_end"), [("3600", True), ("forever", False)])
def test_silencing_takes_its_length_from_the_menu(press: Press, group: AlertGroup, choice: str, has_end: bool) -> None:
    assert press("silence", choice=choice).json()["content"]["state"] == "silenced"
    assert (group.silenced, group.silenced_until is not None) == (True, has_end)


def test_a_length_that_was_not_offered_is_refused(press: Press, group: AlertGroup) -> None:
    assert press("silence", choice="-1").status_code == 403
    assert not group.silenced


def test_every_button_can_be_taken_back(press: Press, group: AlertGroup) -> None:
    for action, state in (
        ("acknowledge", "acknowledged"),
        ("unacknowledge", "firing"),
        ("resolve", "resolved"),
        ("unresolve", "firing"),
    ):
        assert press(action).json()["content"]["state"] == state
    press("silence", choice="1800")
    assert press("unsilence").json()["content"]["state"] == "firing"


def test_an_old_card_changes_nothing_and_is_brought_up_to_date(press: Press, group: AlertGroup) -> None:
    press("resolve")
    told = press("acknowledge").json()
    assert told["notice"] == "Nothing was changed: this alert group is resolved now."
    assert told["content"]["state"] == "resolved"
    assert group.resolved and not group.acknowledged


def test_a_viewer_may_not(press: Press, group: AlertGroup, installed: Any) -> None:
    answer = press("acknowledge", person=installed.vera)
    assert answer.status_code == 403
    assert "You may not change alert groups" in answer.json()["notice"]
    assert not group.acknowledged


def test_who_has_left_may_not(press: Press, group: AlertGroup, installed: Any) -> None:
    installed.grace.is_active = None
    installed.grace.save()
    assert press("acknowledge", person=installed.grace).status_code == 403
    assert not group.acknowledged


def test_another_organization_may_not(press: Press, group: AlertGroup) -> None:
    other = make_organization("OEVIL")
    assert press("acknowledge", person=other.ada, organization="OEVIL").status_code == 403
    assert press("acknowledge", person=other.ada).status_code == 403
    assert not group.acknowledged


def test_where_a_resolution_note_is_required_resolving_is_left_to_oncall(
    press: Press, group: AlertGroup, installed: Any
) -> None:
    installed.row.is_resolution_note_required = True
    installed.row.save()
    answer = press("resolve")
    assert (answer.status_code, group.resolved) == (403, False)
    assert "resolution note" in answer.json()["notice"]


def test_the_same_event_counts_once(press: Press, group: AlertGroup) -> None:
    assert press("acknowledge", id="event-1").json()["notice"] == "Acknowledged."
    assert press("acknowledge", id="event-1").json() == {}
    assert group.log_records.count() == 1


def test_an_event_that_failed_is_taken_when_it_comes_again(
    press: Press, group: AlertGroup, monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    client.raise_request_exception = False
    with monkeypatch.context() as broken:
        broken.setattr(messages, "next_revision", lambda _: 1 / 0)
        assert press("acknowledge", id="event-1").status_code == 500
    assert not group.acknowledged and not SeenEvent.objects.exists()
    assert press("acknowledge", id="event-1").status_code == 200
    assert group.acknowledged and group.log_records.count() == 1


def test_what_is_not_signed_is_not_read(client: Client, settings: Any, press: Press, group: AlertGroup) -> None:
    other = "whsec_" + "A" * 44
    assert press("acknowledge", secret=other).status_code == 401
    assert client.post("/chatport/events", "not even JSON", content_type="application/json").status_code == 401
    settings.CHATPORT_EVENT_SECRET = ""
    assert client.post("/chatport/events", "{}", content_type="application/json").status_code == 401
    assert not group.acknowledged and not SeenEvent.objects.exists()


def test_two_secrets_hold_while_one_is_replaced(press: Press, settings: Any, group: AlertGroup) -> None:
    settings.CHATPORT_EVENT_SECRET = "whsec_" + "A" * 44 + " " + settings.CHATPORT_EVENT_SECRET
    assert press("acknowledge").status_code == 200
    assert group.acknowledged


def test_an_organization_that_is_gone_does_not_hold_up_the_others(tell: Any, organization: Any) -> None:
    news = {"id": "installation-9", "backend": "sandbox", "state": "active"}
    assert tell("installation.activated", "OGONE", {"installation": news}).status_code == 200


def test_a_kind_of_a_later_chatport_is_passed_over(client: Client, settings: Any, tell: Any, organization: Any) -> None:
    assert tell("weather.changed", "OACME", {"sun": True}).status_code == 200
    assert not Link.objects.exists()


def test_nothing_but_posting_is_offered(client: Client, db: None) -> None:
    assert client.get("/chatport/events").status_code == 405
    assert post_signed(client, json.dumps({})).status_code == 401
    assert registry.entry("MATTERMOST") is not None
