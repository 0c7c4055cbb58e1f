"""Where Chatport posts its events: the signature before anything is read, each event once, each in its organization."""

import logging
from typing import Any

from chatport_client import AnyEvent, NotGenuine, Webhooks, models
from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from oncall_chatport import actions, links, messages, oncall
from oncall_chatport.models import SeenEvent

logger = logging.getLogger(__name__)

# What is subscribed to: what `_take` knows.
KINDS: list[models.EventKind] = [
    "installation.activated",
    "installation.suspended",
    "installation.removed",
    "account.linked",
    "account.changed",
    "account.unlinked",
    "channel.linked",
    "channel.changed",
    "channel.removed",
    "action.invoked",
    "message.delivered",
    "message.failed",
]


@csrf_exempt  # type: ignore[untyped-decorator]
@require_POST  # type: ignore[untyped-decorator]
def events(request: HttpRequest) -> HttpResponse:
    """Take one event. Anything but 2xx and 403 is sent again for a week, so only what may pass is refused."""
    event = _genuine(request)
    if event is None:
        return JsonResponse({"detail": "not signed with the secret of the subscription"}, status=401)
    organization = oncall.organizations().filter(public_primary_key=event.organization).first()
    if organization is None:
        logger.warning("event %s is of organization %s, which isn't here", event.id, event.organization)
        return JsonResponse({})
    try:
        with transaction.atomic():
            # First of all, so that the same event waits here while it is being taken.
            SeenEvent.objects.create(id=event.id)
            status, answer = _take(organization, event)
    except IntegrityError:
        if SeenEvent.objects.filter(id=event.id).exists():
            return JsonResponse({})
        raise
    return JsonResponse(answer, status=status)


def _genuine(request: HttpRequest) -> AnyEvent | None:
    for secret in settings.CHATPORT_EVENT_SECRET.split():
        try:
            return Webhooks(secret).event(request.headers, request.body)
        except NotGenuine:
            continue
    return None


def _take(organization: Any, event: AnyEvent) -> tuple[int, dict[str, Any]]:
    data = event.data
    if isinstance(data, models.ActionInvoked):
        status, reply = actions.press(organization, data)
        return status, reply.to_dict()
    if isinstance(data, models.InstallationEvent):
        links.take_installation(organization, data.installation, event.timestamp)
    elif isinstance(data, models.LinkEvent):
        links.take_account(organization, data.link)
    elif isinstance(data, models.ChannelEvent):
        links.take_channel(organization, data.channel)
    elif isinstance(data, models.MessageEvent):
        messages.ended(organization, data)
    elif isinstance(event, models.UnknownEvent):
        logger.warning("event %s of kind %s isn't known; is this package older than Chatport?", event.id, event.type_)
    return 200, {}
