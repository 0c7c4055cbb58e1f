"""What is sent when an alert group changes, and what becomes of notifications."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from apps.alerts.models import Alert, AlertGroup
from apps.base.models import UserNotificationPolicyLogRecord as LogRecord
from chatport_client import NoAnswer, Problem, Refused, Unauthorized, Unavailable, models
from conftest import copy
from django.db import connection
from django.test import TestCase
from django.utils import timezone
from engine.celery import app

from oncall_chatport import messages, registry, tasks
from oncall_chatport.backend import ChatportBackend
from oncall_chatport.models import Installation, Link, Message

pytestmark = pytest.mark.usefixtures("eager")
MATTERMOST = ChatportBackend(entry=registry.parse("MATTERMOST:9:sandbox")[0], notification_channel_id=9)


def receive(organization: Any, title: str = "Disk full", group: Any = None) -> Any:
    with TestCase.captureOnCommitCallbacks(execute=True):
        return Alert.receive(organization.route, title, "98 % used", group).group


def act(group: Any, name: str, **more: Any) -> None:
    with TestCase.captureOnCommitCallbacks(execute=True):
        getattr(group, name)(**more)


def test_an_alert_group_is_shown_in_its_channel(installed: Any, fake_port: Any) -> None:
    group = receive(installed)
    ((organization, key, body),) = fake_port.put
    assert (organization, key) == ("OACME", f"{group.public_primary_key}.mattermost")
    shown = body.to_dict()
    assert shown["targets"] == [{"channel": "channel-incidents"}]
    assert shown["content"]["state"] == "firing"
    assert shown["content"]["title"] == "#1 Disk full"
    assert shown["content"]["text"] == "98 % used"
    assert [each["id"] for each in shown["content"]["actions"]] == ["acknowledge", "resolve", "silence"]


def test_each_backend_has_templates_of_its_own(installed: Any, fake_port: Any) -> None:
    installed.integration.messaging_backends_templates = {"MATTERMOST": {"title": "**{title}**"}}
    installed.integration.save()
    receive(installed)
    assert fake_port.put[0][2].content.title == "#1 **Disk full**"


def test_the_revision_grows_with_each_change_and_each_alert_that_joins(installed: Any, fake_port: Any) -> None:
    group = receive(installed)
    receive(installed, "Disk fuller", group)
    act(group, "acknowledge_by_user_or_backsync", user=installed.ada)
    act(group, "resolve_by_user_or_backsync", user=installed.ada)
    bodies = [body for _, _, body in fake_port.put]
    revisions = [body.revision for body in bodies]
    assert len(bodies) == 4 and revisions == sorted(set(revisions))
    assert bodies[1].content.title == "#1 Disk fuller"
    assert [fact.value for fact in bodies[1].content.facts if fact.name == "Alerts"] == ["2"]
    assert [body.content.state for body in bodies] == ["firing", "firing", "acknowledged", "resolved"]
    assert [body.final for body in bodies] == [False, False, False, True]
    assert [line.text for line in bodies[3].log] == ["acknowledged by ada", "resolved by ada"]


@pytest.mark.django_db(transaction=True)
def test_whoever_has_the_higher_revision_has_read_later(installed: Any, fake_port: Any) -> None:
    message = Message.objects.create(
        key="k", backend="MATTERMOST", target={"channel": "c"}, alert_group=Alert.receive(installed.route, "0").group
    )

    def one_more(number: int) -> tuple[int, int]:
        Alert.objects.create(group=message.alert_group, raw_request_data={"title": str(number), "message": ""})
        body = messages.next_revision(Message.objects.get(pk=message.pk))
        connection.close()
        assert body is not None
        return body.revision, next(int(fact.value) for fact in body.content.facts if fact.name == "Alerts")

    with ThreadPoolExecutor(4) as workers:
        told = sorted(workers.map(one_more, range(24)))
    assert len({revision for revision, _ in told}) == 24
    assert [alerts for _, alerts in told] == sorted(alerts for _, alerts in told)


def test_it_stays_where_it_was_shown_first(installed: Any, fake_port: Any) -> None:
    group = receive(installed)
    installed.route.notification_backends = {"MATTERMOST": {"enabled": True, "channel": "channel-other"}}
    installed.route.save()
    act(group, "acknowledge_by_user_or_backsync", user=installed.ada)
    assert [body.targets[0].channel for _, _, body in fake_port.put] == ["channel-incidents"] * 2


def test_an_organization_without_a_platform_costs_nothing(organization: Any, fake_port: Any) -> None:
    receive(organization)
    assert fake_port.put == [] and not Message.objects.exists()


def test_what_is_deleted_is_taken_away_and_does_not_come_back(installed: Any, fake_port: Any, policy: Any) -> None:
    group = receive(installed)
    MATTERMOST.notify_user(installed.ada, group, policy)
    keys = set(Message.objects.values_list("key", flat=True))
    late = Message.objects.first()
    group.delete_by_user(installed.ada)
    assert {key for _, key in fake_port.deleted} == keys and len(keys) == 2
    assert messages.next_revision(late) is None
    assert not Message.objects.exists()


def test_a_notification_is_a_card_of_its_own_and_needs_no_thread(installed: Any, fake_port: Any, policy: Any) -> None:
    group = AlertGroup.objects.get(pk=receive(installed).pk)
    fake_port.put.clear()
    MATTERMOST.notify_user(installed.ada, group, policy)
    ((_, key, body),) = fake_port.put
    assert key.startswith(f"{group.public_primary_key}.mattermost.")
    assert body.to_dict()["targets"] == [{"user": "UOACMEADA", "via": "installation-1"}]
    assert (body.urgency, body.content.title, body.log) == ("urgent", "#1 Disk full", [])


def test_the_same_step_may_notify_again(installed: Any, fake_port: Any, policy: Any) -> None:
    group = receive(installed)
    MATTERMOST.notify_user(installed.ada, group, policy)
    MATTERMOST.notify_user(installed.ada, group, policy)
    assert len({key for _, key, _ in fake_port.put}) == 3


def test_notifications_follow_the_state_but_not_each_alert(installed: Any, fake_port: Any, policy: Any) -> None:
    group = receive(installed)
    MATTERMOST.notify_user(installed.ada, group, policy)
    fake_port.put.clear()
    receive(installed, "Disk fuller", group)
    assert len(fake_port.put) == 1
    act(group, "acknowledge_by_user_or_backsync", user=installed.ada)
    assert [body.content.state for _, _, body in fake_port.put[1:]] == ["acknowledged"] * 2


def log_of(group: Any) -> list[tuple[Any, ...]]:
    return list(group.personal_log_records.values_list("type", "notification_error_code", "reason").order_by("pk"))


def test_a_notification_that_arrives_is_logged_once(installed: Any, fake_port: Any, policy: Any, tell: Any) -> None:
    group = receive(installed)
    MATTERMOST.notify_user(installed.ada, group, policy)
    told = {"message": fake_port.put[-1][1], "revision": 1, "copy": copy()}
    tell("message.delivered", "OACME", told)
    tell("message.delivered", "OACME", told)
    assert log_of(group) == [(LogRecord.TYPE_PERSONAL_NOTIFICATION_SUCCESS, None, None)]
    record = group.personal_log_records.get()
    assert (record.author, record.notification_policy, record.notification_step, record.notification_channel) == (
        installed.ada, policy, policy.step, 9,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("backend", "failure", "code"),
    [
        ("MATTERMOST", "account_not_linked", 30),
        ("MATTERMOST", "installation_revoked", 32),
        ("MATTERMOST", "rate_limited", 24),
        ("MATTERMOST", "content_rejected", 28),
        ("CHAT_PLAY", "account_not_linked", 24),
        ("CHAT_PLAY", "permission_denied", 25),
        ("CHAT_PLAY", "a code of a later Chatport", 24),
    ],
)
def test_a_failure_is_logged_with_oncalls_code(
    installed: Any, fake_port: Any, policy: Any, tell: Any, backend: str, failure: str, code: int
) -> None:
    group = receive(installed)
    MATTERMOST.notify_user(installed.ada, group, policy)
    Message.objects.filter(user__isnull=False).update(backend=backend)
    told = {"code": failure, "detail": "in words", "permanent": True}
    key = fake_port.put[-1][1]
    tell("message.failed", "OACME", {"message": key, "revision": 1, "copy": copy(state="dead"), "failure": told})
    assert log_of(group) == [(LogRecord.TYPE_PERSONAL_NOTIFICATION_FAILED, code, f"{failure}: in words")]


def test_a_channel_that_fails_is_kept_for_the_doctor(installed: Any, fake_port: Any, tell: Any) -> None:
    group = receive(installed)
    failure = {"code": "channel_archived", "detail": "it is archived", "permanent": True}
    told = {"message": fake_port.put[-1][1], "revision": 1, "copy": copy(state="dead"), "failure": failure}
    tell("message.failed", "OACME", told)
    assert log_of(group) == []
    assert Message.objects.get().problem == "channel_archived: it is archived"


def test_without_an_installation_the_log_says_so(organization: Any, fake_port: Any, policy: Any) -> None:
    group = receive(organization)
    MATTERMOST.notify_user(organization.ada, group, policy)
    assert log_of(group) == [(3, 32, "installation_missing: Mattermost isn't set up")]


def test_retries_are_bounded_and_end_in_the_log(installed: Any, fake_port: Any, policy: Any) -> None:
    group = receive(installed)
    app.conf.task_eager_propagates = False  # each retry runs at once, then
    fake_port.error = NoAnswer("connection refused", may_have_happened=False)
    MATTERMOST.notify_user(installed.ada, group, policy)
    assert log_of(group) == [(3, 24, "platform_unavailable: connection refused")]
    waits = [tasks._wait(number, fake_port.error) for number in range(tasks.RETRIES_OF_AN_HOUR)]
    assert waits[:4] == [1, 2, 4, 8] and 3600 <= sum(waits) < 2 * 3600


AWAY = NoAnswer("connection refused", may_have_happened=False)


def problem(kind: type[Problem], status: int) -> Problem:
    told = {"type": "/problems/x", "title": "T", "status": status, "cure": "C"}
    return kind(models.ProblemDetails.from_dict(told))


@pytest.mark.parametrize(
    ("error", "reason", "code"),
    [
        (problem(Refused, 422), "content_rejected", 28),
        (problem(Unauthorized, 401), "chatport_refused", 24),
    ],
)
def test_what_chatport_refuses_is_logged_as_what_it_is(
    installed: Any, fake_port: Any, policy: Any, error: Problem, reason: str, code: int
) -> None:
    group = receive(installed)
    fake_port.error = error
    MATTERMOST.notify_user(installed.ada, group, policy)
    assert log_of(group) == [(3, code, f"{reason}: {error}")]


def test_a_notification_is_of_no_use_after_an_hour_but_what_was_shown_is_kept_up_to_date(
    installed: Any, fake_port: Any, policy: Any, tell: Any
) -> None:
    group = receive(installed)
    assert not fake_port.put[-1][2].expires_at
    policy.important = False
    MATTERMOST.notify_user(installed.ada, group, policy)
    _, key, first = fake_port.put[-1]
    assert 3500 < (first.expires_at - timezone.now()).total_seconds() <= 3600
    tell("message.delivered", "OACME", {"message": key, "revision": 1, "copy": copy()})
    act(group, "acknowledge_by_user_or_backsync", user=installed.ada)
    assert fake_port.put[-1][1] == key and not fake_port.put[-1][2].expires_at


def test_a_notification_that_was_given_up_is_not_sent_later(installed: Any, fake_port: Any, policy: Any) -> None:
    group = receive(installed)
    fake_port.error = problem(Unauthorized, 401)
    MATTERMOST.notify_user(installed.ada, group, policy)
    fake_port.error = None
    fake_port.put.clear()
    act(group, "acknowledge_by_user_or_backsync", user=installed.ada)
    assert [key for _, key, _ in fake_port.put] == [f"{group.public_primary_key}.mattermost"]


@pytest.fixture
def nightly(fake_port: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What the night sends, where tasks are given up soon."""
    monkeypatch.setattr(tasks.refresh_alert_group, "max_retries", 2)
    monkeypatch.setattr("oncall_chatport.links.read_everything", lambda _: None)

    def nightly() -> list[tuple[str, str]]:
        fake_port.error = None
        fake_port.put.clear()
        tasks.read_everything_again()
        return [(key, body.content.state) for _, key, body in fake_port.put]

    return nightly


def test_what_was_given_up_is_sent_at_night_in_its_newest_state(installed: Any, fake_port: Any, nightly: Any) -> None:
    shown = receive(installed)
    app.conf.task_eager_propagates = False
    fake_port.error = AWAY
    never_shown, over = receive(installed, "Never shown"), receive(installed, "Over before it was shown")
    act(shown, "resolve_by_user_or_backsync", user=installed.ada)
    act(over, "resolve_by_user_or_backsync", user=installed.ada)
    assert set(Message.objects.values_list("problem", flat=True)) == {"connection refused"}
    assert nightly() == [
        (f"{shown.public_primary_key}.mattermost", "resolved"),
        (f"{never_shown.public_primary_key}.mattermost", "firing"),
    ]
    assert nightly() == []


def test_of_an_organization_that_was_deleted_nothing_is_sent(installed: Any, fake_port: Any, nightly: Any) -> None:
    app.conf.task_eager_propagates = False
    fake_port.error = AWAY
    receive(installed)
    installed.row.deleted_at = timezone.now()
    installed.row.save()
    assert nightly() == []


def test_one_message_that_fails_does_not_hold_up_the_others(installed: Any, fake_port: Any, nightly: Any) -> None:
    home = Installation.objects.create(
        organization=installed.row, backend="CHAT_PLAY", external_id="i-2", state="active", updated_at=timezone.now()
    )
    Link.objects.create(
        installation=home, kind="channel", external_id="c-2", is_default=True, updated_at=timezone.now()
    )
    app.conf.task_eager_propagates = False
    fake_port.refused = {".mattermost": problem(Unavailable, 503)}
    group = receive(installed)
    assert {key for _, key, _ in fake_port.put} == {f"{group.public_primary_key}.chat_play"}
    fake_port.refused = {}
    assert f"{group.public_primary_key}.mattermost" in dict(nightly())


def test_an_empty_line_of_the_log_is_left_out(installed: Any, fake_port: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    group = receive(installed)
    monkeypatch.setattr("apps.alerts.models.AlertGroupLogRecord.rendered_log_line_action", lambda _: " ")
    act(group, "acknowledge_by_user_or_backsync", user=installed.ada)
    assert fake_port.put[-1][2].log == []


def test_every_task_goes_to_a_queue_that_oncalls_workers_serve() -> None:
    ours = [name for name in app.tasks if name.startswith("oncall_chatport.")]
    queues = {name.rpartition(".")[2]: app.amqp.router.route({}, name)["queue"].name for name in ours}
    assert queues.pop("send_notification") == "critical"
    assert len(queues) == 4 and set(queues.values()) == {"default"}
