"""Says what is wrong between OnCall and Chatport, and what to do. Changes nothing; exit code 1 if anything is wrong."""

from collections.abc import Iterator
from typing import Any

from chatport_client import ChatportError, Forbidden, Unauthorized, Webhooks, models
from django.conf import settings
from django.core.management.base import BaseCommand
from django.urls import reverse

from oncall_chatport import links, oncall, port, registry
from oncall_chatport.models import Installation, Link, Message

MAX_EXAMPLES = 5
SCOPES = "send, link, install:read and keys, for all organizations"


class Command(BaseCommand):  # type: ignore[misc]
    help = "Explain what is wrong between OnCall and Chatport."

    def handle(self, **_: Any) -> None:
        findings = [*_settings(), *_chatport(), *_tables()]
        for finding in findings:
            self.stdout.write(f"- {finding}\n")
        if findings:
            raise SystemExit(1)
        self.stdout.write("Nothing is wrong.\n")


def _settings() -> Iterator[str]:
    if not registry.entries():
        yield f"{registry.VARIABLE} is empty: no platform is served. Set it, e.g. to MATTERMOST:9, and restart."
    for name in ("CHATPORT_URL", "CHATPORT_TOKEN", "CHATPORT_EVENT_SECRET"):
        if not getattr(settings, name):
            yield f"{name} isn't set."
    for secret in settings.CHATPORT_EVENT_SECRET.split():
        try:
            Webhooks(secret)
        except ValueError:
            yield "CHATPORT_EVENT_SECRET isn't a secret as `chatport_setup` prints it: whsec_ and base64."
    if "apps.mattermost" in settings.INSTALLED_APPS and registry.entry("MATTERMOST"):
        yield "OnCall's own Mattermost is on, too: set FEATURE_MATTERMOST_INTEGRATION_ENABLED=False."


def _chatport() -> Iterator[str]:
    """What Chatport says of itself and of every organization; read-only."""
    try:
        platforms = {each.id: each for each in port.chatport().list_backends().backends}
        yield from _subscription()
        for entry in registry.entries():
            platform = platforms.get(entry.platform)
            if platform is None:
                known = ", ".join(sorted(platforms))
                yield f"{entry.name}: Chatport has no platform {entry.platform!r}. It has {known}; name one: {entry.name}:{entry.id}:PLATFORM."
            elif not (platform.parts.deliver and platform.parts.install):
                yield f"{entry.name}: this Chatport can't deliver to {platform.name} yet."
        for organization in links.organizations():
            yield from _organization(organization)
    except (Unauthorized, Forbidden) as error:
        yield f"Chatport at {settings.CHATPORT_URL} doesn't let this command in: {error} It takes a key with the scopes {SCOPES}."
    except ChatportError as error:
        yield f"Chatport at {settings.CHATPORT_URL} doesn't answer: {error}. OnCall's lists work on; messages wait in Celery."


def _subscription() -> Iterator[str]:
    name = settings.CHATPORT_SUBSCRIPTION
    url = settings.CHATPORT_EVENTS_URL or str(settings.BASE_URL).rstrip("/") + reverse("chatport-events")
    found = next((each for each in port.chatport().list_subscriptions().subscriptions if each.name == name), None)
    if found is None:
        yield f"Chatport sends no events here: there is no subscription {name!r}. `chatport_setup` makes it."
        return
    if found.url != url:
        yield f"Chatport sends its events to {found.url}, not to {url}. `chatport_setup` changes that."
    if found.last_failure and (not found.last_success_at or found.last_failure.at > found.last_success_at):
        cure = " The secret differs: `chatport_setup --new-secret`." if "401" in found.last_failure.detail else ""
        yield f"Chatport's last event to {found.url} failed at {found.last_failure.at:%Y-%m-%d %H:%M}: {found.last_failure.detail}.{cure}"


def _organization(organization: Any) -> Iterator[str]:
    key, chatport = organization.public_primary_key, port.chatport()
    known = set(Installation.objects.filter(organization=organization).values_list("external_id", flat=True))
    for each in chatport.every(chatport.list_installations, key):
        if each.id not in known:
            yield f"{key}: Chatport has an installation of {each.backend} ({each.id}) that no entry of {registry.VARIABLE} serves."
        if each.problem:
            yield f"{key}: {each.backend} is suspended: {each.problem.detail} {each.problem.cure}"
        yield from _probe(key, each)
    letters = chatport.list_dead_letters(key, limit=MAX_EXAMPLES).items
    for letter in letters:
        yield f"{key}: message {letter.message} wasn't delivered: {letter.copy.code}, {letter.copy.detail}"


def _probe(key: str, installation: models.Installation) -> Iterator[str]:
    probe = installation.health.last_probe
    if probe and not (probe.can_post and probe.can_receive):
        lacks = "post" if not probe.can_post else "hear presses"
        yield f"{key}: {installation.backend} can't {lacks}: {', '.join(probe.missing)} {probe.cure or ''}".strip()


def _tables() -> Iterator[str]:
    """What the local tables show without asking."""
    for row in Installation.objects.filter(state__in=links.LIVE).select_related("organization"):
        key, channels = row.organization.public_primary_key, row.links.filter(kind=Link.Kind.CHANNEL, is_gone=False)
        if registry.entry(row.backend) is None:
            yield f"{key}: {row.backend} is set up, but isn't in {registry.VARIABLE}: its policies fail."
        if not channels.filter(is_default=True).exists():
            yield f"{key}: {row.backend} has no default channel: alert groups whose route names none aren't shown there."
        for channel in channels.filter(is_lost=True):
            yield f"{key}: the bot was taken out of {channel.display_name} ({row.backend}). Invite it again."
        yield from _policies(row)
        yield from _routes(row)
    for message in Message.objects.exclude(problem="").order_by("-pk")[:MAX_EXAMPLES]:
        yield f"message {message.key}: {message.problem}"


def _policies(row: Installation) -> Iterator[str]:
    entry = registry.entry(row.backend)
    if entry is None:
        return
    wanting = oncall.notification_policies().objects.filter(user__organization=row.organization, notify_by=entry.id)
    linked = row.links.filter(kind=Link.Kind.USER, is_gone=False).values("user")
    names = wanting.exclude(user__in=linked).values_list("user__username", flat=True).distinct()
    if names:
        yield f"{row.organization.public_primary_key}: to be notified by {entry.label}, but not linked: {', '.join(names[:MAX_EXAMPLES])}"


def _routes(row: Installation) -> Iterator[str]:
    there = set(links.channels(row.organization, row.backend).values_list("external_id", flat=True))
    of_organization = {"alert_receive_channel__organization": row.organization}
    for route in oncall.channel_filters().filter(notification_backends__has_key=row.backend, **of_organization):
        wanted = (route.notification_backends[row.backend] or {}).get("channel")
        if wanted and wanted not in there:
            yield f"{row.organization.public_primary_key}: route {route.pk} names a channel of {row.backend} that is gone ({wanted}); the default is used."
