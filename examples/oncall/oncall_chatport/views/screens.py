"""The endpoints that OnCall's UI calls for chat platforms: the features, the state of the organization, channels, and
the login that links an account. The same for every backend; the UI has screens for `MATTERMOST` and `MSTEAMS`."""

from contextlib import suppress
from typing import Any

from apps.api.permissions import RBACPermission
from apps.api.views.features import FeaturesAPIView
from apps.api.views.organization import CurrentOrganizationView
from apps.auth_token.auth import PluginAuthentication
from chatport_client import UNSET, NotFound, Unset, models
from django.shortcuts import get_object_or_404
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import ViewSet

from oncall_chatport import codes, links, port, registry
from oncall_chatport.models import Link
from oncall_chatport.registry import Entry
from oncall_chatport.views import link_page

# How many pages of a platform's channels are searched for one that was typed.
MAX_PAGES = 20


class FeaturesView(FeaturesAPIView):  # type: ignore[misc]
    """OnCall's list of features, with a word for each entry: the UI's only switch."""

    def get(self, request: Request) -> Response:
        response = super().get(request)
        ours = [entry.slug for entry in registry.entries() if entry.slug not in response.data]
        response.data = [*response.data, *ours]
        return response


class OrganizationView(CurrentOrganizationView):  # type: ignore[misc]
    """OnCall's organization. Whether a platform is configured, OnCall judges by settings of its own apps."""

    def get(self, request: Request) -> Response:
        return self._configured(super().get(request))

    def put(self, request: Request) -> Response:
        return self._configured(super().put(request))

    @staticmethod
    def _configured(response: Response) -> Response:
        status = response.data.get("env_status")
        if isinstance(status, dict):
            response.data["env_status"] = status | {f"{entry.slug}_configured": True for entry in registry.entries()}
        return response


class ChannelsView(ViewSet):  # type: ignore[misc]
    """The channels of one backend. Reading is local; whatever changes something asks Chatport."""

    authentication_classes = (PluginAuthentication,)
    permission_classes = (IsAuthenticated, RBACPermission)
    rbac_permissions = {
        "list": [RBACPermission.Permissions.CHATOPS_READ],
        "retrieve": [RBACPermission.Permissions.CHATOPS_READ],
        "create": [RBACPermission.Permissions.CHATOPS_UPDATE_SETTINGS],
        "destroy": [RBACPermission.Permissions.CHATOPS_UPDATE_SETTINGS],
        "set_default": [RBACPermission.Permissions.CHATOPS_UPDATE_SETTINGS],
    }
    entry: Entry | None = None  # set by `as_view`

    def list(self, request: Request) -> Response:
        return Response([_shown(channel) for channel in self._channels(request)])

    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(_shown(self._channel(request, pk)))

    def create(self, request: Request) -> Response:
        """Connect the channel with this id or name on the platform, as far as the bot can see it."""
        organization, wanted = request.auth.organization, str(request.data.get("channel_id", "")).strip()
        installation = codes.set_up(self._entry, organization)
        with codes.explained(self._entry):
            conversation = _look_up(organization.public_primary_key, installation.external_id, wanted)
            if conversation is None:
                code = codes.for_channel(self._entry, organization)
                raise codes.Refusal(400, f"The bot doesn't see a channel {wanted!r}. {instructions(code)}")
            channel = port.chatport().add_channel(
                organization.public_primary_key,
                models.NewChannel(conversation=conversation, installation=installation.external_id),
            )
        links.take_channel(organization, channel)
        return Response(_shown(self._channel(request, channel.id)), status=201)

    def destroy(self, request: Request, pk: str) -> Response:
        channel = self._channel(request, pk)
        with codes.explained(self._entry), suppress(NotFound):
            port.chatport().remove_channel(request.auth.organization.public_primary_key, channel.external_id)
        links.gone(channel)
        return Response(status=204)

    @action(detail=True, methods=["post"])  # type: ignore[untyped-decorator]
    def set_default(self, request: Request, pk: str) -> Response:
        organization, channel = request.auth.organization, self._channel(request, pk)
        with codes.explained(self._entry):
            changed = port.chatport().change_channel(
                organization.public_primary_key, channel.external_id, models.ChangedChannel(is_default=True)
            )
        self._channels(request).filter(is_default=True).update(is_default=False)
        links.take_channel(organization, changed)
        return Response()

    @property
    def _entry(self) -> Entry:
        assert self.entry is not None, "as_view is given the entry"
        return self.entry

    def _channels(self, request: Request) -> Any:
        return links.channels(request.auth.organization, self._entry.name)

    def _channel(self, request: Request, pk: str) -> Link:
        channel: Link = get_object_or_404(self._channels(request), external_id=pk)
        return channel


def _shown(channel: Link) -> dict[str, Any]:
    """A channel in the words of both screens."""
    names = {"name": channel.name, "channel_name": channel.name, "display_name": channel.display_name}
    ids = {"id": channel.external_id, "channel_id": channel.name or channel.external_id}
    return (
        ids
        | names
        | {
            "team": channel.team,
            "is_default": channel.is_default,
            "is_default_channel": channel.is_default,
        }
    )


def _look_up(organization: str, installation: str, wanted: str) -> models.ConversationInput | None:
    """The channel with exactly this id or name among those that the bot can see."""
    chatport, name = port.chatport(), wanted.lstrip("#~@")
    cursor: str | Unset = UNSET
    for _ in range(MAX_PAGES):
        page = chatport.search_directory(organization, installation, kind="channels", limit=200, cursor=cursor)
        for entry in page.items:
            found = getattr(entry, "conversation", None)
            if found is not None and (found.id == wanted or found.name == name):
                return models.ConversationInput.from_dict(found.to_dict())
        if not page.next_:
            return None
        cursor = page.next_
    return None


def instructions(code: models.CodeView) -> str:
    """What a person does with a code, in one line."""
    texts = [step.send.value for step in code.steps if isinstance(step, models.SendTextStep)]
    return f"Post this in the channel: {texts[0] if texts else code.code}"


class LoginView(APIView):  # type: ignore[misc]
    """Answers the address of the page that links the account; the UI goes there."""

    authentication_classes = (PluginAuthentication,)
    permission_classes = (IsAuthenticated,)
    entry: Entry | None = None

    def get(self, request: Request) -> Response:
        assert self.entry is not None, "as_view is given the entry"
        codes.set_up(self.entry, request.auth.organization)
        return Response(link_page.address(self.entry, request.user))
