"""The local table: who writes it, and that whatever reads, reads it alone."""

import datetime
from typing import Any

import pytest
from apps.user_management.models import User
from django.test import Client

from oncall_chatport import links, registry
from oncall_chatport.backend import ChatportBackend
from oncall_chatport.models import Installation, Link

MATTERMOST = ChatportBackend(entry=registry.parse("MATTERMOST:9:sandbox")[0], notification_channel_id=9)


def link(**changed: Any) -> dict[str, Any]:
    now = datetime.datetime.now(datetime.UTC).isoformat()
    account = {"id": "p-grace", "username": "grace", "display_name": "Grace Hopper"}
    told = {"id": "link-grace", "installation": "installation-1", "user": "UOACMEGRACE", "account": account}
    return told | {"linked_at": now, "updated_at": now} | changed


def channel(**changed: Any) -> dict[str, Any]:
    now = datetime.datetime.now(datetime.UTC).isoformat()
    told = {"id": "channel-new", "installation": "installation-1", "name": "new", "display_name": "New", "team": "demo"}
    return (
        told
        | {"status": "active", "is_default": False, "storm_guard": False, "linked_at": now, "updated_at": now}
        | changed
    )


def test_an_account_that_is_linked_shows_and_one_that_is_unlinked_does_not(installed: Any, tell: Any) -> None:
    assert MATTERMOST.serialize_user(installed.grace) is None
    tell("account.linked", "OACME", {"link": link()})
    assert MATTERMOST.serialize_user(installed.grace) == {"id": "p-grace", "username": "grace", "name": "Grace Hopper"}
    now = datetime.datetime.now(datetime.UTC).isoformat()
    tell("account.unlinked", "OACME", {"link": link(unlinked_at=now)})
    assert MATTERMOST.serialize_user(installed.grace) is None


def test_late_news_does_not_bring_back_what_is_gone(installed: Any, tell: Any) -> None:
    early = link()
    now = datetime.datetime.now(datetime.UTC).isoformat()
    tell("account.unlinked", "OACME", {"link": link(unlinked_at=now)})
    tell("account.linked", "OACME", {"link": early})
    assert MATTERMOST.serialize_user(installed.grace) is None


def test_channels_come_change_and_go(installed: Any, tell: Any) -> None:
    names = lambda: [each.display_name for each in links.channels(installed.row, "MATTERMOST")]  # noqa: E731
    tell("channel.linked", "OACME", {"channel": channel()})
    assert names() == ["Incidents", "New", "Other"]
    tell("channel.changed", "OACME", {"channel": channel(display_name="Renamed", status="lost")})
    assert names() == ["Incidents", "Other", "Renamed"]
    tell("channel.removed", "OACME", {"channel": channel(status="removed")})
    assert names() == ["Incidents", "Other"]


def test_with_an_installation_its_links_are_gone(installed: Any, tell: Any) -> None:
    news = {"id": "installation-1", "backend": "sandbox", "state": "removed"}
    tell("installation.removed", "OACME", {"installation": news})
    assert MATTERMOST.serialize_user(installed.ada) is None
    assert not MATTERMOST.is_enabled_for_organization(installed.row)
    assert not links.channels(installed.row, "MATTERMOST").exists()


def test_a_suspended_one_stays_and_says_why(installed: Any, tell: Any) -> None:
    problem = {"code": "installation_revoked", "detail": "The token was refused.", "cure": "Make a new one."}
    news = {"id": "installation-1", "backend": "sandbox", "state": "suspended", "problem": problem}
    tell("installation.suspended", "OACME", {"installation": news})
    assert MATTERMOST.is_configured_for_organization(installed.row)
    assert Installation.objects.get().problem == "The token was refused. Make a new one."


def test_two_backends_on_one_platform_are_told_apart(organization: Any, tell: Any) -> None:
    for number in (1, 2, 3):
        news = {"id": f"installation-{number}", "backend": "sandbox", "state": "active"}
        tell("installation.activated", "OACME", {"installation": news})
    assert list(Installation.objects.values_list("backend", "external_id")) == [
        ("MATTERMOST", "installation-1"),
        ("CHAT_PLAY", "installation-2"),
    ]


def test_another_organization_cannot_take_a_link_over(installed: Any, tell: Any) -> None:
    from conftest import make_organization

    make_organization("OEVIL")
    stolen = link(id="link-ada", user="UOEVILADA")
    assert tell("account.linked", "OEVIL", {"link": stolen}).status_code == 200
    news = {"id": "installation-1", "backend": "sandbox", "state": "removed"}
    assert tell("installation.removed", "OEVIL", {"installation": news}).status_code == 200
    assert MATTERMOST.serialize_user(installed.ada) == {"id": "p-ada", "username": "ada", "name": "ada"}


def test_a_list_of_a_hundred_users_asks_the_table_once(
    installed: Any, client: Client, fake_port: Any, django_assert_max_num_queries: Any
) -> None:
    for number in range(100):
        User.objects.create(public_primary_key=f"U{number}", organization=installed.row, username=f"user{number}")
    with django_assert_max_num_queries(3):  # who asks, the users, their links
        listed = client.get("/api/internal/v1/users/", headers={"x-user": "ada"}).json()
    assert len(listed) == 103
    assert listed[0]["messaging_backends"] == {
        "MATTERMOST": {"id": "p-ada", "username": "ada", "name": "ada"},
        "CHAT_PLAY": None,
    }


@pytest.mark.parametrize(
    ("data", "checked"),
    [
        (None, {}),
        ({"enabled": 1}, {"enabled": True}),
        ({"channel": "channel-other"}, {"channel": "channel-other"}),
        ({"channel": None, "enabled": False}, {"channel": None, "enabled": False}),
    ],
)
def test_a_route_may_name_a_connected_channel(installed: Any, data: Any, checked: Any) -> None:
    assert MATTERMOST.validate_channel_filter_data(installed.row, data) == checked


def test_a_route_may_not_name_any_other(installed: Any) -> None:
    from conftest import make_organization
    from rest_framework.exceptions import ValidationError

    for organization, channel in ((installed.row, "channel-x"), (make_organization("OEVIL").row, "channel-other")):
        with pytest.raises(ValidationError, match="Invalid Mattermost channel id"):
            MATTERMOST.validate_channel_filter_data(organization, {"channel": channel})


@pytest.mark.parametrize(
    ("route", "name"),
    [
        (None, "incidents"),
        ({"CHAT_PLAY": {"enabled": False}}, "incidents"),
        ({"MATTERMOST": {"enabled": False, "channel": "channel-other"}}, None),
        ({"MATTERMOST": {"enabled": True, "channel": None}}, "incidents"),
        ({"MATTERMOST": {"enabled": True, "channel": "channel-other"}}, "other"),
        ({"MATTERMOST": {"enabled": True, "channel": "gone"}}, "incidents"),
    ],
)
def test_the_route_decides_where_an_alert_group_is_shown(installed: Any, route: Any, name: str | None) -> None:
    from apps.alerts.models import Alert

    installed.route.notification_backends = route
    installed.route.save()
    found = links.channel_for(Alert.receive(installed.route, "Disk full").group, "MATTERMOST")
    assert (found.name if found else None) == name
    assert Link.objects.count() == 3
