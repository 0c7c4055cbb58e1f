"""An organization with people and a route, signed events, and the program where a test asks for it."""

import base64
import datetime
import itertools
import json
import uuid
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from apps.alerts.models import AlertReceiveChannel, ChannelFilter
from apps.base.models import UserNotificationPolicy
from apps.user_management.models import Organization, User
from django.test import Client
from standardwebhooks.webhooks import Webhook

from oncall_chatport import port
from oncall_chatport.models import Installation, Link

SECRET = "whsec_" + base64.b64encode(b"a secret of these tests, 32 byte").decode()


def make_organization(key: str) -> SimpleNamespace:
    organization = Organization.objects.create(public_primary_key=key, org_title=f"Organization {key}")
    people = {
        name: User.objects.create(
            public_primary_key=f"U{key}{name}".upper(), organization=organization, username=name, role=role
        )
        for name, role in (("ada", User.ADMIN), ("grace", User.EDITOR), ("vera", User.VIEWER))
    }
    integration = AlertReceiveChannel.objects.create(organization=organization, verbal_name="Prometheus")
    route = ChannelFilter.objects.create(alert_receive_channel=integration)
    return SimpleNamespace(row=organization, key=key, route=route, integration=integration, **people)


@pytest.fixture
def organization(db: None) -> SimpleNamespace:
    return make_organization("OACME")


@pytest.fixture
def installed(organization: SimpleNamespace) -> SimpleNamespace:
    """MATTERMOST is set up, Ada is linked, `incidents` is the default channel and `other` another; all in the local
    tables."""
    now = datetime.datetime.now(datetime.UTC)
    home = Installation.objects.create(
        organization=organization.row,
        backend="MATTERMOST",
        external_id="installation-1",
        state="active",
        updated_at=now,
    )
    Link.objects.create(
        installation=home,
        kind="user",
        external_id="link-ada",
        user=organization.ada,
        platform_id="p-ada",
        name="ada",
        updated_at=now,
    )
    for name, is_default in (("incidents", True), ("other", False)):
        Link.objects.create(
            installation=home, kind="channel", external_id=f"channel-{name}", name=name, display_name=name.title(),
            is_default=is_default, updated_at=now,
        )  # fmt: skip
    return organization


@pytest.fixture
def policy(organization: SimpleNamespace) -> Any:
    return UserNotificationPolicy.objects.create(user=organization.ada, notify_by=9, important=True)


@pytest.fixture
def tell(client: Client, settings: Any) -> Callable[..., Any]:
    """Posts an event as Chatport does, signed."""
    settings.CHATPORT_EVENT_SECRET = SECRET

    def tell(kind: str, organization: str, data: dict[str, Any], id: str = "", secret: str = SECRET) -> Any:
        event = {
            "id": id or str(uuid.uuid4()),
            "type": kind,
            "organization": organization,
            "timestamp": datetime.datetime.now(datetime.UTC).isoformat(),
            "data": data,
        }
        return post_signed(client, json.dumps(event), secret)

    return tell


def post_signed(client: Client, body: str, secret: str = SECRET) -> Any:
    now, id = datetime.datetime.now(datetime.UTC), str(uuid.uuid4())
    headers = {
        "webhook-id": id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(id, now, body),
    }
    return client.post("/chatport/events", body, content_type="application/json", headers=headers)


_numbers = itertools.count(1)


def copy(**changed: Any) -> dict[str, Any]:
    """A copy as events tell of it."""
    now = datetime.datetime.now(datetime.UTC).isoformat()
    told = {
        "id": f"copy-{next(_numbers)}", "target": {}, "state": "delivered", "revision": 1, "shown_revision": 1, "posts": [],
        "attempts": 1, "expires_at": now, "updated_at": now,
    }  # fmt: skip
    return told | changed


class Port:
    """In place of Chatport: keeps what is put, and fails as it is told to."""

    def __init__(self) -> None:
        self.put: list[tuple[str, str, Any]] = []
        self.deleted: list[tuple[str, str]] = []
        self.error: Exception | None = None

    def put_message(self, organization: str, key: str, body: Any) -> None:
        if self.error:
            raise self.error
        self.put.append((organization, key, body))

    def delete_message(self, organization: str, key: str) -> None:
        self.deleted.append((organization, key))

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} was called, which nothing may do here")


@pytest.fixture
def fake_port(monkeypatch: pytest.MonkeyPatch) -> Port:
    fake = Port()
    monkeypatch.setattr(port, "chatport", lambda: fake)
    monkeypatch.setattr(port, "chatport_of_tasks", lambda: fake)
    return fake


@pytest.fixture
def eager(settings: Any) -> Iterator[None]:
    """Tasks run at once, where they are enqueued."""
    from engine.celery import app

    app.conf.task_always_eager, app.conf.task_eager_propagates = True, True
    yield
    app.conf.task_always_eager, app.conf.task_eager_propagates = False, False
