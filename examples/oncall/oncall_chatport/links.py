"""The local table of links and channels: how it is read, and how events and the nightly reading write it."""

import datetime
import logging
from contextlib import suppress
from typing import Any

from asgiref.local import Local
from chatport_client import NotFound, models
from django.core.signals import request_finished, request_started

from oncall_chatport import oncall, port, registry
from oncall_chatport.models import Installation, Link

logger = logging.getLogger(__name__)

# What counts as set up; a suspended one still takes messages, which wait.
LIVE = ("active", "suspended")
EVER = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


# Reading


def installation(organization: Any, backend: str) -> Installation | None:
    """What serves this backend for this organization."""
    live = Installation.objects.filter(organization=organization, backend=backend, state__in=LIVE)
    found: Installation | None = live.order_by("pk").first()
    return found


def installation_in_any_state(organization: Any, backend: str) -> Installation | None:
    """The same, also where it isn't set up fully."""
    there = Installation.objects.filter(organization=organization, backend=backend).exclude(state="removed")
    found: Installation | None = there.order_by("pk").first()
    return found


def organizations() -> Any:
    """Those that have something at Chatport."""
    return oncall.organizations().filter(pk__in=Installation.objects.values("organization"))


def channels(organization: Any, backend: str) -> Any:
    """The connected channels of this backend."""
    return Link.objects.filter(
        installation__organization=organization,
        installation__backend=backend,
        installation__state__in=LIVE,
        kind=Link.Kind.CHANNEL,
        is_gone=False,
    ).order_by("display_name", "pk")


def channel_for(alert_group: Any, backend: str) -> Link | None:
    """Where an alert group is shown: what its route says, by the rules of OnCall's own apps."""
    of_organization = channels(alert_group.channel.organization, backend)
    default: Link | None = of_organization.filter(is_default=True).first()
    route = alert_group.channel_filter
    wanted = (route.notification_backends or {}).get(backend) if route else None
    if not wanted:
        return default
    if not wanted.get("enabled"):
        return None
    return of_organization.filter(external_id=wanted.get("channel")).first() or default


_request = Local()


def connect() -> None:
    """Keep what was read of an organization's links for the length of a request: a list of users asks once for each."""
    request_started.connect(_forget, dispatch_uid="oncall_chatport.links.started")
    request_finished.connect(_stop, dispatch_uid="oncall_chatport.links.finished")


def _forget(**_: Any) -> None:
    _request.links = {}


def _stop(**_: Any) -> None:
    _request.links = None


def of_user(user: Any, backend: str) -> Link | None:
    """The account of this user, the one that was linked last."""
    kept: dict[int, dict[tuple[int, str], Link]] | None = getattr(_request, "links", None)
    if kept is None:
        return _user_links(user=user).get((user.pk, backend))
    if user.organization_id not in kept:
        kept[user.organization_id] = _user_links(installation__organization_id=user.organization_id)
    return kept[user.organization_id].get((user.pk, backend))


def _user_links(**which: Any) -> dict[tuple[int, str], Link]:
    rows = Link.objects.filter(
        kind=Link.Kind.USER, is_gone=False, user__isnull=False, installation__state__in=LIVE, **which
    )
    return {(row.user_id, row.installation.backend): row for row in rows.select_related("installation").order_by("pk")}


# Writing


def unlink(user: Any, backend: str) -> bool:
    """End this user's links at Chatport and here; False if there are none."""
    of_user = Link.objects.filter(user=user, kind=Link.Kind.USER, is_gone=False, installation__backend=backend)
    found = list(of_user)
    for link in found:
        with suppress(NotFound):
            port.chatport().unlink_account(user.organization.public_primary_key, link.external_id)
        gone(link)
    return bool(found)


def gone(link: Link) -> None:
    """It was ended by us; the event that tells of it comes later."""
    Link.objects.filter(pk=link.pk).update(is_gone=True)
    _changed()


def _changed() -> None:
    if getattr(_request, "links", None):
        _request.links = {}


def take_installation(
    organization: Any,
    news: models.InstallationNews | models.Installation,
    told_at: datetime.datetime,
    backend: str | None = None,
) -> None:
    """Take over what Chatport says of an installation. One that is new goes to the first entry of its platform that has
    none yet, unless `backend` says which."""
    problem = f"{news.problem.detail} {news.problem.cure}" if news.problem else ""
    values: dict[str, Any] = {"state": str(news.state), "problem": problem, "updated_at": told_at}
    if not Installation.objects.filter(external_id=news.id).exists() or backend:
        serves = backend or _free_backend(organization, news.backend)
        if serves is None:
            logger.warning("installation %s of %s is of no entry in %s", news.id, news.backend, registry.VARIABLE)
            return
        values["backend"] = serves
    row, is_new = Installation.objects.get_or_create(
        external_id=news.id, defaults={"organization": organization, **values}
    )
    # Of this organization, and not older than what came before.
    present = Installation.objects.filter(pk=row.pk, organization=organization)
    if backend:
        present.update(backend=backend)
    if (is_new or present.filter(updated_at__lte=told_at).update(**values)) and news.state == "removed":
        row.links.update(is_gone=True)
    _changed()


def _free_backend(organization: Any, platform: str) -> str | None:
    of_organization = Installation.objects.filter(organization=organization).exclude(state="removed")
    used = set(of_organization.values_list("backend", flat=True))
    return next((each.name for each in registry.entries() if each.platform == platform and each.name not in used), None)


def take_account(organization: Any, news: models.AccountLink) -> None:
    """Take over what Chatport says of a link of a user."""
    user = oncall.users().filter(organization=organization, public_primary_key=news.user).first()
    _take(
        organization,
        Link.Kind.USER,
        news,
        is_gone=bool(news.unlinked_at) or user is None,
        user=user,
        platform_id=news.account.id,
        name=news.account.username,
        display_name=news.account.display_name,
    )


def take_channel(organization: Any, news: models.Channel) -> None:
    """Take over what Chatport says of a channel."""
    _take(
        organization,
        Link.Kind.CHANNEL,
        news,
        is_gone=bool(news.removed_at) or news.status == "removed",
        is_lost=news.status == "lost",
        is_default=news.is_default,
        name=news.name,
        display_name=news.display_name or news.name,
        team=news.team,
    )


def _take(organization: Any, kind: str, news: models.AccountLink | models.Channel, **values: Any) -> None:
    home = Installation.objects.filter(organization=organization, external_id=news.installation).first()
    if home is None:
        return  # of no entry; the doctor tells
    values |= {"kind": kind, "updated_at": news.updated_at}
    row, is_new = Link.objects.get_or_create(external_id=news.id, defaults={"installation": home, **values})
    if not is_new:
        # What we did ourselves and its event come at once, and late news may come last.
        Link.objects.filter(pk=row.pk, installation=home, updated_at__lte=news.updated_at).update(**values)
    _changed()


def read_everything(organization: Any) -> None:
    """Read all of an organization in bulk, with what is gone: mends what events have missed."""
    chatport, key = port.chatport_of_tasks(), organization.public_primary_key
    page = {"updated_after": EVER, "limit": 500}
    for installation in chatport.every(chatport.list_installations, key, **page):
        take_installation(organization, installation, installation.updated_at)
    for account in chatport.every(chatport.list_accounts, key, **page):
        take_account(organization, account)
    for channel in chatport.every(chatport.list_channels, key, **page):
        take_channel(organization, channel)
