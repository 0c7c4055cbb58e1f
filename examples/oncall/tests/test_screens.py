"""The endpoints that OnCall's UI calls, with Chatport away: what only reads works, what asks says why it can't."""

from typing import Any

import pytest
from chatport_client import NoAnswer, models
from django.test import Client

from oncall_chatport import port
from oncall_chatport.models import Installation, Link

API = "/api/internal/v1"


class Away:
    """A Chatport that can't be reached."""

    def __getattr__(self, _name: str) -> Any:
        def call(*_: Any, **__: Any) -> None:
            raise NoAnswer("connection refused", may_have_happened=False)

        return call


@pytest.fixture(autouse=True)
def away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(port, "chatport", Away)


def get(client: Client, path: str, user: str = "ada") -> Any:
    return client.get(f"{API}{path}", headers={"x-user": user})


def post(client: Client, path: str, body: Any = None, user: str = "ada") -> Any:
    return client.post(f"{API}{path}", body or {}, content_type="application/json", headers={"x-user": user})


@pytest.mark.parametrize("slash", ["", "/"])
def test_the_features_switch_the_screens_on(installed: Any, client: Client, slash: str) -> None:
    assert get(client, f"/features{slash}").json() == ["live_settings", "mattermost", "chat_play"]


def test_the_organization_counts_as_configured(installed: Any, client: Client) -> None:
    status = get(client, "/organization/").json()["env_status"]
    assert status == {"telegram_configured": False, "mattermost_configured": True, "chat_play_configured": True}


def test_channels_are_listed_in_the_words_of_both_screens(installed: Any, client: Client) -> None:
    first, second = get(client, "/mattermost/channels/").json()
    assert first == {
        "id": "channel-incidents", "channel_id": "incidents", "channel_name": "incidents", "name": "incidents",
        "display_name": "Incidents", "team": "", "is_default": True, "is_default_channel": True,
    }  # fmt: skip
    assert get(client, f"/mattermost/channels/{second['id']}").json() == second
    assert get(client, "/chat_play/channels/").json() == []


def test_another_organizations_channels_are_not_there(installed: Any, client: Client) -> None:
    from conftest import make_organization

    other = make_organization("OEVIL").ada
    other.username = "mallory"
    other.save()
    assert get(client, "/mattermost/channels/", "mallory").json() == []
    assert get(client, "/mattermost/channels/channel-incidents/", "mallory").status_code == 404


def test_only_administrators_change_channels_and_only_readers_read(installed: Any, client: Client) -> None:
    assert get(client, "/mattermost/channels/", "vera").status_code == 200
    assert get(client, "/mattermost/channels/", "nobody").status_code == 401
    for user in ("grace", "vera"):
        assert post(client, "/mattermost/channels/channel-other/set_default", user=user).status_code == 403
        assert client.delete(f"{API}/mattermost/channels/channel-other/", headers={"x-user": user}).status_code == 403


def test_lists_work_and_changes_say_why_they_cannot(installed: Any, client: Client) -> None:
    away = "Mattermost can't be reached at the moment, since Chatport doesn't answer. Try again in a minute."
    for answer in (
        get(client, "/users/me/get_backend_verification_code/?backend=MATTERMOST"),
        get(client, "/current_team/get_channel_verification_code/?backend=MATTERMOST"),
        post(client, "/users/me/unlink_backend/?backend=MATTERMOST"),
        post(client, "/mattermost/channels/", {"channel_id": "new"}),
        post(client, "/mattermost/channels/channel-other/set_default/"),
        client.delete(f"{API}/mattermost/channels/channel-other/", headers={"x-user": "ada"}),
    ):
        assert (answer.status_code, answer.json()["detail"]) == (503, away)
    assert Link.objects.filter(is_gone=False).count() == 3
    assert get(client, "/users/").json()[0]["messaging_backends"]["MATTERMOST"]["username"] == "ada"


def test_unlinking_somebody_who_is_not_linked_is_a_bad_request(installed: Any, client: Client) -> None:
    assert post(client, "/users/me/unlink_backend/?backend=MATTERMOST", user="grace").status_code == 400


def test_without_an_installation_a_code_says_what_to_do(organization: Any, client: Client) -> None:
    answer = get(client, "/users/me/get_backend_verification_code/?backend=MATTERMOST")
    assert answer.status_code == 409
    assert "manage.py chatport_setup --organization OACME --backend MATTERMOST" in answer.json()["detail"]


def test_the_login_leads_to_a_page_that_says_what_is_wrong(installed: Any, client: Client) -> None:
    address = get(client, "/login/mattermost-login/").json()
    assert address.startswith("http://engine.example.com/chatport/link/")
    page = client.get(address.removeprefix("http://engine.example.com"))
    assert page.status_code == 503
    assert "Mattermost can&#x27;t be reached at the moment" in page.content.decode()


def test_the_page_shows_every_kind_of_step_and_trusts_none(
    installed: Any, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    common = {"title": "<b>T</b>", "text": "x", "optional": False, "expires_at": None}
    value = {"value": "link K7QX", "secret": True}
    steps = [
        {"id": "1", "kind": "open_link", "url": "https://chat.example.com/x"},
        {"id": "2", "kind": "send_text", "send": value, "to": "the <i>bot</i>"},
        {"id": "3", "kind": "run_command", "command": value},
        {"id": "4", "kind": "copy_value", "label": "Code", "value": value},
        {"id": "5", "kind": "wait", "what": "nothing"},
    ]
    code = {
        "code": "K7QX", "installation": "i", "purpose": "user", "expires_at": "2026-01-01T10:00:00Z",
        "deep_link": "https://chat.example.com/deep", "steps": [common | step for step in steps],
    }  # fmt: skip
    answering = type("Answering", (), {"create_verification_code": lambda *_: models.CodeView.from_dict(code)})
    monkeypatch.setattr(port, "chatport", answering)
    address = get(client, "/login/mattermost-login/").json()
    page = client.get(address.removeprefix("http://engine.example.com"))
    shown = page.content.decode()
    assert page.status_code == 200 and shown.count("link K7QX") == 3
    assert 'href="https://chat.example.com/x"' in shown and 'href="https://chat.example.com/deep"' in shown
    assert "<i>" not in shown and "<b>T" not in shown
    assert page["Cache-Control"].startswith("max-age=0") and page["Referrer-Policy"] == "no-referrer"


def test_a_page_of_somebody_elses_making_is_refused(installed: Any, client: Client) -> None:
    assert client.get("/chatport/link/made-up/").status_code == 410


def test_the_default_channel_counts_at_once(installed: Any, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    now = "2099-01-01T00:00:00Z"
    changed = models.Channel.from_dict(
        {"id": "channel-other", "installation": "installation-1", "name": "other", "display_name": "Other", "team": "",
         "status": "active", "is_default": True, "storm_guard": False, "linked_at": now, "updated_at": now}
    )  # fmt: skip
    monkeypatch.setattr(port, "chatport", type("Answering", (), {"change_channel": lambda *_: changed}))
    assert post(client, "/mattermost/channels/channel-other/set_default").status_code == 200
    assert [each["is_default"] for each in get(client, "/mattermost/channels/").json()] == [False, True]


def test_a_backend_is_offered_where_it_is_set_up(installed: Any, client: Client) -> None:
    from apps.base.messaging import get_messaging_backend_from_id

    mattermost, play = (get_messaging_backend_from_id(name) for name in ("MATTERMOST", "CHAT_PLAY"))
    assert mattermost.is_enabled_for_organization(installed.row)
    assert not play.is_enabled_for_organization(installed.row)
    Installation.objects.update(state="pending")
    assert not mattermost.is_configured_for_organization(installed.row)
