"""A whole run: the engine's stand-in with Celery's worker and web server, and the running Chatport with its sandbox.

Two backends of OnCall, each with an installation of the sandbox (a world of its own): this program has one platform
that can be tried without a server, and a platform may serve several backends.
"""

import io
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from apps.alerts.models import Alert, AlertGroup
from apps.base.messaging import get_messaging_backend_from_id
from apps.base.models import UserNotificationPolicy
from apps.base.models import UserNotificationPolicyLogRecord as LogRecord
from celery.contrib.testing.worker import start_worker
from chatport import Program, World
from conftest import make_organization
from django.core.management import CommandError, call_command
from django.test import Client
from engine.celery import app

from oncall_chatport import links, port, tasks
from oncall_chatport.models import Installation, Link, Message

API = "/api/internal/v1"
BACKENDS = {"MATTERMOST": 9, "CHAT_PLAY": 101}
pytestmark = pytest.mark.django_db(transaction=True)


def until(condition: Callable[[], Any], what: str, seconds: float = 30) -> Any:
    """What the condition gives, once that is true."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"never happened: {what}"
        time.sleep(0.05)
    return found


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    program = Program(tmp_path / "chatport")
    program.start()
    yield program
    program.stop()


@pytest.fixture(scope="session")
def worker(django_db_setup: None) -> Iterator[None]:
    """Celery's worker, on the queues that OnCall's has, too."""
    with start_worker(app, perform_ping_check=False, pool="threads", concurrency=2, queues="default,critical"):
        yield


@pytest.fixture
def engine(
    program: Program, worker: None, live_server: Any, settings: Any, client: Client, monkeypatch: pytest.MonkeyPatch
) -> Iterator["Engine"]:
    """OnCall's side: its server is heard by Chatport, its worker sends."""
    settings.BASE_URL, settings.CHATPORT_URL, settings.CHATPORT_TOKEN = live_server.url, program.url, program.key
    settings.CHATPORT_EVENT_SECRET = ""
    monkeypatch.setattr(tasks, "SENDING_TAKES", 1)
    for connection in (port.chatport, port.chatport_of_tasks):
        connection.cache_clear()
    yield Engine(client, settings)
    app.control.purge()


class Engine:
    def __init__(self, client: Client, settings: Any) -> None:
        self.client, self.settings = client, settings
        self.organization = make_organization("OACME")

    def command(self, name: str, *arguments: str) -> str:
        out = io.StringIO()
        call_command(name, *arguments, stdout=out)
        return out.getvalue()

    def set_up(self, backend: str) -> str:
        said = self.command("chatport_setup", "--organization", "OACME", "--backend", backend)
        if secret := re.search(r"CHATPORT_EVENT_SECRET='(.+)'", said):
            self.settings.CHATPORT_EVENT_SECRET = secret[1]
        return said

    def get(self, path: str, user: str = "ada") -> Any:
        answer = self.client.get(f"{API}{path}", headers={"x-user": user})
        assert answer.status_code == 200, answer.content
        return answer.json()

    def receive(self, title: str, group: AlertGroup | None = None) -> AlertGroup:
        return Alert.receive(self.organization.route, title, "98 % used", group).group

    def linked(self) -> list[str]:
        """The backends in which Ada is linked."""
        return [name for name, link in self.get("/users/")[0]["messaging_backends"].items() if link]

    def worlds(self) -> dict[str, World]:
        """Set both backends up, link Ada and a channel in each; the world of each."""
        worlds = {}
        for name in BACKENDS:
            self.set_up(name)
            installation = Installation.objects.get(backend=name)
            entry = get_messaging_backend_from_id(name).entry
            worlds[name] = _link(entry, self.organization.ada, installation)
        until(lambda: self.linked() == list(BACKENDS), "Ada is linked in both")
        until(lambda: Link.objects.filter(kind="channel", is_default=True).count() == 2, "both have a channel")
        return worlds


def _link(entry: Any, user: Any, installation: Installation) -> World:
    """What a person does: send the code to the bot, post the other one in the channel."""
    from oncall_chatport import codes

    code = codes.for_user(entry, user)
    world = World.of_steps([step.to_dict() for step in code.steps])
    world.say("ada", "dm-ada", f"link {code.code}")
    world.say("ada", "incidents", f"link {codes.for_channel(entry, user.organization).code}")
    assert code.installation == installation.external_id
    return world


def card(world: World, conversation: str = "incidents") -> dict[str, Any] | None:
    """The last card of the bot there."""
    return next((post for post in reversed(world.posts(conversation)) if post.get("title")), None)


def shows(world: World, state: str, conversation: str = "incidents") -> Callable[[], Any]:
    return lambda: (post := card(world, conversation)) and post["state"] == state and post


def outcomes(group: AlertGroup) -> list[tuple[int, int | None]]:
    records = group.personal_log_records.order_by("notification_channel")
    return list(records.values_list("notification_channel", "notification_error_code"))


def notify(engine: Engine, group: AlertGroup) -> None:
    """What OnCall's escalation does: Ada is told by both of her rules."""
    for name, number in BACKENDS.items():
        policy, _ = UserNotificationPolicy.objects.get_or_create(user=engine.organization.ada, notify_by=number)
        get_messaging_backend_from_id(name).notify_user(engine.organization.ada, group, policy)


def test_an_alert_group_from_firing_to_resolved(engine: Engine) -> None:
    worlds = engine.worlds()
    group = engine.receive("Disk full on db-1")
    for world in worlds.values():
        post = until(shows(world, "firing"), "the alert group is shown")
        assert post["title"] == "#1 Disk full on db-1" and post["text"] == "98 % used"
    notify(engine, group)
    until(lambda: outcomes(group) == [(9, None), (101, None)], "both notifications arrive and are logged")

    # From chat, in one world; the answer is there at once, the others follow.
    pressed = worlds["CHAT_PLAY"].press("ada", card(worlds["CHAT_PLAY"]), "acknowledge")
    assert pressed["notice"] == "Acknowledged."
    group.refresh_from_db()
    assert group.acknowledged_by_user == engine.organization.ada
    assert group.log_records.get().action_source is None
    for world in worlds.values():
        for conversation in ("incidents", "dm-ada"):
            until(shows(world, "acknowledged", conversation), f"{conversation} shows who is on it")

    # Another alert joins, then it is over.
    engine.receive("Disk full on db-2", group)
    until(lambda: "db-2" in card(worlds["MATTERMOST"])["title"], "the card shows the newest alert")
    group.refresh_from_db()
    group.resolve_by_user_or_backsync(user=engine.organization.ada)
    for world in worlds.values():
        post = until(shows(world, "resolved"), "it shows as resolved")
        until(
            lambda: (
                [each["text"] for each in card(world).get("replies", [])] == ["acknowledged by ada", "resolved by ada"]
            ),
            "the log",
        )
        assert [button["id"] for button in post["buttons"]] == ["unresolve"]
        assert len([each for each in world.posts("incidents") if each.get("title")]) == 1

    # Deleted in OnCall: taken away there.
    group.delete_by_user(engine.organization.ada)
    assert not Message.objects.exists()
    for world in worlds.values():
        until(lambda: card(world) is None, "the posts are gone")


def test_who_is_not_linked_is_told_so_and_changes_nothing(engine: Engine) -> None:
    worlds = engine.worlds()
    group = engine.receive("Disk full on db-1")
    post = until(shows(worlds["MATTERMOST"], "firing"), "it is shown")
    assert "link" in str(worlds["MATTERMOST"].press("grace", post, "acknowledge")).lower()
    group.refresh_from_db()
    assert not group.acknowledged


def test_chatport_is_away_and_comes_back(engine: Engine, program: Program) -> None:
    worlds = engine.worlds()
    before = engine.receive("Before")
    until(shows(worlds["MATTERMOST"], "firing"), "it is shown")
    program.stop()

    # Lists stay up and fast, codes say what is wrong.
    began = time.monotonic()
    assert engine.linked() == list(BACKENDS)
    assert [each["name"] for each in engine.get("/mattermost/channels/")] == ["incidents"]
    assert time.monotonic() - began < 0.5
    refused = engine.client.get(
        f"{API}/users/me/get_backend_verification_code/?backend=MATTERMOST", headers={"x-user": "ada"}
    )
    assert refused.status_code == 503 and "can't be reached" in refused.json()["detail"]

    # What happens meanwhile: one changes twice, one is new, and Ada is told of it.
    before.acknowledge_by_user_or_backsync(user=engine.organization.ada)
    before.resolve_by_user_or_backsync(user=engine.organization.ada)
    during = engine.receive("During")
    notify(engine, during)
    time.sleep(1.5)
    program.start()

    for world in worlds.values():
        until(lambda: {each["title"]: each["state"] for each in world.posts("incidents") if each.get("title")}
              == {"#1 Before": "resolved", "#1 During": "firing"}, "nothing is lost")  # fmt: skip
        until(lambda: card(world, "dm-ada"), "the notification arrives")
    until(lambda: outcomes(during) == [(9, None), (101, None)], "and is logged")


def test_a_notification_may_come_before_its_thread(engine: Engine) -> None:
    worlds = engine.worlds()
    engine.organization.route.notification_backends = {name: {"enabled": False} for name in BACKENDS}
    engine.organization.route.save()
    group = engine.receive("Only for Ada")
    notify(engine, group)
    post = until(shows(worlds["MATTERMOST"], "firing", "dm-ada"), "the card arrives")
    assert worlds["MATTERMOST"].press("ada", post, "resolve")["notice"] == "Resolved."
    assert card(worlds["MATTERMOST"]) is None


def test_a_user_who_is_not_linked_is_logged_with_the_code_of_the_platform(engine: Engine) -> None:
    for name in BACKENDS:
        engine.set_up(name)
    group = engine.receive("Nobody hears")
    notify(engine, group)
    until(lambda: outcomes(group) == [(9, 30), (101, 24)], "the log says so")


def test_links_and_channels_by_the_screens(engine: Engine) -> None:
    worlds = engine.worlds()
    # By the page that the login leads to.
    address = engine.get("/login/mattermost-login/", "grace")
    page = engine.client.get("/chatport/link/" + address.rpartition("/chatport/link/")[2]).content.decode()
    worlds["MATTERMOST"].say("grace", "dm-grace", re.search(r"link [0-9A-Z]{4}(-[0-9A-Z]{4})+", page)[0])  # type: ignore[index]
    until(lambda: engine.get("/users/")[1]["messaging_backends"]["MATTERMOST"], "Grace is linked")

    # A channel by its id on the platform, then the default, then away with it.
    headers = {"headers": {"x-user": "ada"}, "content_type": "application/json"}
    made = engine.client.post(f"{API}/mattermost/channels/", {"channel_id": "general"}, **headers)
    assert (made.status_code, made.json()["display_name"]) == (201, "General")
    unknown = engine.client.post(f"{API}/mattermost/channels/", {"channel_id": "nowhere"}, **headers)
    assert unknown.status_code == 400 and "Post this in the channel: link" in unknown.json()["detail"]
    engine.client.post(f"{API}/mattermost/channels/{made.json()['id']}/set_default", **headers)
    defaults = lambda: {each["name"]: each["is_default"] for each in engine.get("/mattermost/channels/")}  # noqa: E731
    assert defaults() == {"general": True, "incidents": False}
    engine.receive("For the new default")
    until(shows(worlds["MATTERMOST"], "firing", "general"), "it is shown there")
    engine.client.delete(f"{API}/mattermost/channels/{made.json()['id']}/", **headers)
    assert defaults() == {"incidents": False}

    # Unlinking ends it at Chatport, too.
    engine.client.post(f"{API}/users/me/unlink_backend/?backend=CHAT_PLAY", **headers)
    assert engine.linked() == ["MATTERMOST"]
    links.read_everything(engine.organization.row)
    assert engine.linked() == ["MATTERMOST"] and defaults() == {"incidents": False}


def test_the_nightly_reading_mends_what_events_missed(engine: Engine, program: Program) -> None:
    engine.worlds()
    Link.objects.filter(kind="channel").delete()
    Link.objects.filter(kind="user").update(name="stale", updated_at="2020-01-01T00:00:00Z")
    tasks.read_everything_again.delay()
    until(lambda: Link.objects.filter(kind="channel", is_default=True).count() == 2, "the channels are back")
    until(lambda: not Link.objects.filter(name="stale").exists(), "names are right again")
    assert Installation.objects.filter(state="active").count() == len(
        program.get("organizations/OACME/installations")["items"]
    )


def test_setting_up_is_told_step_by_step_and_may_be_repeated(engine: Engine) -> None:
    first = engine.set_up("MATTERMOST")
    assert "CHATPORT_EVENT_SECRET='whsec_" in first and "Mattermost: active" in first
    again = engine.set_up("MATTERMOST")
    assert "CHATPORT_EVENT_SECRET" not in again and "Mattermost: active" in again
    assert Installation.objects.count() == 1
    with pytest.raises(CommandError, match="CHAT_X isn't in CHATPORT_BACKENDS"):
        engine.set_up("CHAT_X")
    with pytest.raises(CommandError, match=r"there are: OACME \(Organization OACME\)"):
        engine.command("chatport_setup", "--organization", "ONE", "--backend", "MATTERMOST")


def test_the_doctor_finds_nothing_where_nothing_is_wrong(engine: Engine) -> None:
    engine.worlds()
    assert engine.command("chatport_doctor") == "Nothing is wrong.\n"


def test_the_doctor_says_what_is_wrong_and_what_to_do(engine: Engine, program: Program) -> None:
    findings = lambda: pytest.raises(SystemExit)  # noqa: E731
    out = io.StringIO()
    engine.set_up("MATTERMOST")
    engine.organization.route.notification_backends = {"MATTERMOST": {"enabled": True, "channel": "gone"}}
    engine.organization.route.save()
    notify(engine, engine.receive("Nobody hears"))
    until(lambda: LogRecord.objects.filter(notification_error_code=30), "the notification fails")
    engine.settings.CHATPORT_EVENTS_URL = "https://other.example.com/chatport/events"
    with findings():
        call_command("chatport_doctor", stdout=out)
    said = out.getvalue()
    assert "MATTERMOST has no default channel" in said
    assert "to be notified by Mattermost, but not linked: ada" in said
    assert "names a channel of MATTERMOST that is gone (gone)" in said
    assert "wasn't delivered: account_not_linked" in said
    assert "not to https://other.example.com/chatport/events" in said
    program.stop()
    with findings():
        call_command("chatport_doctor", stdout=out)
    assert "doesn't answer" in out.getvalue()
