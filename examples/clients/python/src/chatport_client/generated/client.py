"""Every operation of the API as a method. Made from docs/openapi.json by examples/clients/generate: don't edit it."""

import datetime
from collections.abc import Callable
from typing import Any, TypeVar

import httpx

from .api.api_keys import (
    create_api_key,
    list_api_keys,
    revoke_api_key,
)
from .api.backends import (
    list_backends,
)
from .api.events import (
    list_subscriptions,
    put_subscription,
    read_events,
    remove_subscription,
)
from .api.installations import (
    change_installation,
    create_installation,
    declare_commands,
    get_commands,
    get_installation,
    list_installations,
    reauthorize_installation,
    remove_installation,
    resume_installation,
    submit_setup,
)
from .api.linking import (
    add_channel,
    change_channel,
    create_verification_code,
    get_channel,
    list_accounts,
    list_channels,
    remove_channel,
    resolve_in_directory,
    search_directory,
    unlink_account,
    unlink_user,
)
from .api.messages import (
    delete_message,
    get_message,
    list_dead_letters,
    preview_message,
    put_message,
    replay_dead_letters,
)
from .api.operation import (
    read_audit,
)
from .api.organizations import (
    delete_organization,
    get_organization,
    put_organization,
)
from .models import *  # noqa: F403
from .types import UNSET, Unset

Answer = TypeVar("Answer")


class Operations:
    """How a request is sent is left to a subclass: `_call`."""

    def _call(
        self,
        operation: str,
        request: dict[str, Any],
        parse: Callable[[httpx.Response], Answer],
        timeout: float | None,
    ) -> Answer:
        raise NotImplementedError

    def list_api_keys(
        self,
        *,
        timeout: float | None = None,
    ) -> Keys:
        """List API keys."""
        request = list_api_keys.request()
        return self._call("list_api_keys", request, list_api_keys.parse, timeout)

    def create_api_key(
        self,
        body: NewKeyRequest,
        *,
        timeout: float | None = None,
    ) -> MadeKey:
        """Make an API key."""
        request = create_api_key.request(
            body=body,
        )
        return self._call("create_api_key", request, create_api_key.parse, timeout)

    def revoke_api_key(
        self,
        id: str,
        *,
        timeout: float | None = None,
    ) -> None:
        """Revoke an API key at once."""
        request = revoke_api_key.request(
            id,
        )
        return self._call("revoke_api_key", request, revoke_api_key.parse, timeout)

    def read_audit(
        self,
        *,
        cursor: str | Unset = UNSET,
        limit: int | Unset = 100,
        organization: str | Unset = UNSET,
        timeout: float | None = None,
    ) -> EntryPage:
        """Read who did what.

        The newest first; kept for a year. No secret stands in it.
        """
        request = read_audit.request(
            cursor=cursor,
            limit=limit,
            organization=organization,
        )
        return self._call("read_audit", request, read_audit.parse, timeout)

    def list_backends(
        self,
        *,
        timeout: float | None = None,
    ) -> Catalogue:
        """List what is linked in.

        The catalogue: labels, optional parts, limits and the schema of the settings of each backend.
        """
        request = list_backends.request()
        return self._call("list_backends", request, list_backends.parse, timeout)

    def read_events(
        self,
        *,
        after: int | Unset = UNSET,
        timeout: float | None = None,
    ) -> EventPage:
        """Read events by cursor, or as a stream.

        The same events as the signed webhooks, in order, of all organizations that the key is for. With
        `Accept: text/event-stream` they come as they happen; `Last-Event-ID` resumes.
        """
        request = read_events.request(
            after=after,
        )
        return self._call("read_events", request, read_events.parse, timeout)

    def list_subscriptions(
        self,
        *,
        timeout: float | None = None,
    ) -> Subscriptions:
        """List subscriptions."""
        request = list_subscriptions.request()
        return self._call("list_subscriptions", request, list_subscriptions.parse, timeout)

    def put_subscription(
        self,
        name: str,
        body: PutSubscription,
        *,
        timeout: float | None = None,
    ) -> SubscriptionView:
        """Create or change a subscription.

        Events are posted to `url`, signed as Standard Webhooks describes. The signing secret is in the
        answer that makes it, and never again. `action.invoked` is sent while the presser waits: answer `200
        {notice?, content?, revision?}` or `403 {notice}` within 2 seconds. Content without a `revision`
        gets the next one after the message's.
        """
        request = put_subscription.request(
            name,
            body=body,
        )
        return self._call("put_subscription", request, put_subscription.parse, timeout)

    def remove_subscription(
        self,
        name: str,
        *,
        timeout: float | None = None,
    ) -> None:
        """Remove a subscription and what waits for it."""
        request = remove_subscription.request(
            name,
        )
        return self._call("remove_subscription", request, remove_subscription.parse, timeout)

    def get_organization(
        self,
        org: str,
        *,
        timeout: float | None = None,
    ) -> OrganizationView:
        """Read an organization."""
        request = get_organization.request(
            org,
        )
        return self._call("get_organization", request, get_organization.parse, timeout)

    def put_organization(
        self,
        org: str,
        body: PutOrganization,
        *,
        timeout: float | None = None,
    ) -> OrganizationView:
        """Create or change an organization.

        The id is the application's own. Repeating the request changes nothing.
        """
        request = put_organization.request(
            org,
            body=body,
        )
        return self._call("put_organization", request, put_organization.parse, timeout)

    def delete_organization(
        self,
        org: str,
        *,
        timeout: float | None = None,
    ) -> None:
        """Remove an organization and everything that is its.

        Installations are removed on their platforms, then every row of the organization is deleted.
        """
        request = delete_organization.request(
            org,
        )
        return self._call("delete_organization", request, delete_organization.parse, timeout)

    def list_accounts(
        self,
        org: str,
        *,
        cursor: str | Unset = UNSET,
        installation: str | Unset = UNSET,
        limit: int | Unset = 100,
        updated_after: datetime.datetime | Unset = UNSET,
        user: str | Unset = UNSET,
        timeout: float | None = None,
    ) -> AccountLinkPage:
        """List linked accounts.

        In the order of their last change. With `updated_after`, links that are gone are among them, so that
        a local copy can follow.
        """
        request = list_accounts.request(
            org,
            cursor=cursor,
            installation=installation,
            limit=limit,
            updated_after=updated_after,
            user=user,
        )
        return self._call("list_accounts", request, list_accounts.parse, timeout)

    def unlink_account(
        self,
        org: str,
        id: str,
        *,
        timeout: float | None = None,
    ) -> None:
        """Unlink an account."""
        request = unlink_account.request(
            org,
            id,
        )
        return self._call("unlink_account", request, unlink_account.parse, timeout)

    def list_channels(
        self,
        org: str,
        *,
        cursor: str | Unset = UNSET,
        installation: str | Unset = UNSET,
        limit: int | Unset = 100,
        updated_after: datetime.datetime | Unset = UNSET,
        timeout: float | None = None,
    ) -> ChannelPage:
        """List connected channels."""
        request = list_channels.request(
            org,
            cursor=cursor,
            installation=installation,
            limit=limit,
            updated_after=updated_after,
        )
        return self._call("list_channels", request, list_channels.parse, timeout)

    def add_channel(
        self,
        org: str,
        body: NewChannel,
        *,
        timeout: float | None = None,
    ) -> Channel:
        """Connect a conversation whose address is known."""
        request = add_channel.request(
            org,
            body=body,
        )
        return self._call("add_channel", request, add_channel.parse, timeout)

    def get_channel(
        self,
        org: str,
        id: str,
        *,
        timeout: float | None = None,
    ) -> Channel:
        """Read a channel."""
        request = get_channel.request(
            org,
            id,
        )
        return self._call("get_channel", request, get_channel.parse, timeout)

    def remove_channel(
        self,
        org: str,
        id: str,
        *,
        timeout: float | None = None,
    ) -> None:
        """Disconnect a channel."""
        request = remove_channel.request(
            org,
            id,
        )
        return self._call("remove_channel", request, remove_channel.parse, timeout)

    def change_channel(
        self,
        org: str,
        id: str,
        body: ChangedChannel,
        *,
        timeout: float | None = None,
    ) -> Channel:
        """Make a channel the default, or guard it against storms."""
        request = change_channel.request(
            org,
            id,
            body=body,
        )
        return self._call("change_channel", request, change_channel.parse, timeout)

    def search_directory(
        self,
        org: str,
        id: str,
        *,
        cursor: str | Unset = UNSET,
        kind: EntryKind,
        limit: int | Unset = 100,
        query: str | Unset = "",
        timeout: float | None = None,
    ) -> DirectoryEntryPage:
        """Find people or channels on the platform.

        For pickers: what the bot can see on the platform, asked there each time. The `conversation` of a
        channel can be passed on to `POST …/channels` as it is.
        """
        request = search_directory.request(
            org,
            id,
            cursor=cursor,
            kind=kind,
            limit=limit,
            query=query,
        )
        return self._call("search_directory", request, search_directory.parse, timeout)

    def resolve_in_directory(
        self,
        org: str,
        id: str,
        *,
        email: str | Unset = UNSET,
        name: str | Unset = UNSET,
        timeout: float | None = None,
    ) -> Resolved:
        """Find who or what has an address or a name.

        Finding nothing is an empty list. A name may stand for a person and for a channel in each of several
        teams.
        """
        request = resolve_in_directory.request(
            org,
            id,
            email=email,
            name=name,
        )
        return self._call("resolve_in_directory", request, resolve_in_directory.parse, timeout)

    def unlink_user(
        self,
        org: str,
        user: str,
        *,
        timeout: float | None = None,
    ) -> UnlinkedCount:
        """Unlink all accounts of a user."""
        request = unlink_user.request(
            org,
            user,
        )
        return self._call("unlink_user", request, unlink_user.parse, timeout)

    def create_verification_code(
        self,
        org: str,
        body: NewCode,
        *,
        timeout: float | None = None,
    ) -> CodeView:
        """Make a code that links a person or a channel.

        The same for every backend: show `steps` (or `deep_link`) to the person. A new code for the same
        user and installation revokes the old one.
        """
        request = create_verification_code.request(
            org,
            body=body,
        )
        return self._call("create_verification_code", request, create_verification_code.parse, timeout)

    def list_dead_letters(
        self,
        org: str,
        *,
        before: datetime.datetime | Unset = UNSET,
        code: str | Unset = UNSET,
        cursor: str | Unset = UNSET,
        installation: str | Unset = UNSET,
        limit: int | Unset = 100,
        since: datetime.datetime | Unset = UNSET,
        timeout: float | None = None,
    ) -> DeadLetterPage:
        """List copies that were given up.

        The newest first; kept for 30 days.
        """
        request = list_dead_letters.request(
            org,
            before=before,
            code=code,
            cursor=cursor,
            installation=installation,
            limit=limit,
            since=since,
        )
        return self._call("list_dead_letters", request, list_dead_letters.parse, timeout)

    def replay_dead_letters(
        self,
        org: str,
        body: ReplayRequest,
        *,
        timeout: float | None = None,
    ) -> Replay:
        """Try dead letters again.

        Each is tried in the newest revision of its message, for 24 hours. With `dry_run` nothing changes.
        With a `rate`, each becomes due in its turn, whichever replica sends it. For more than `limit`, ask
        again with the answer's `before` and its `next_due_at` as `not_before`.
        """
        request = replay_dead_letters.request(
            org,
            body=body,
        )
        return self._call("replay_dead_letters", request, replay_dead_letters.parse, timeout)

    def get_message(
        self,
        org: str,
        key: str,
        *,
        timeout: float | None = None,
    ) -> MessageView:
        """Read a message, its copies and their history."""
        request = get_message.request(
            org,
            key,
        )
        return self._call("get_message", request, get_message.parse, timeout)

    def put_message(
        self,
        org: str,
        key: str,
        body: PutMessageInput,
        *,
        timeout: float | None = None,
    ) -> Accepted:
        """Say what a message should show, and where.

        Accepted means on disk: the answer comes after the commit. Every copy converges to the newest
        revision; revisions that wait are merged. The same revision with the same content gives the same
        answer again; a lower one changes nothing.
        """
        request = put_message.request(
            org,
            key,
            body=body,
        )
        return self._call("put_message", request, put_message.parse, timeout)

    def delete_message(
        self,
        org: str,
        key: str,
        *,
        timeout: float | None = None,
    ) -> Deleted:
        """Take a message away.

        What stands is deleted, what waits is called off.
        """
        request = delete_message.request(
            org,
            key,
        )
        return self._call("delete_message", request, delete_message.parse, timeout)

    def preview_message(
        self,
        org: str,
        body: PreviewRequest,
        *,
        timeout: float | None = None,
    ) -> Previews:
        """Look at a message as platforms would show it."""
        request = preview_message.request(
            org,
            body=body,
        )
        return self._call("preview_message", request, preview_message.parse, timeout)

    def list_installations(
        self,
        org: str,
        *,
        backend: str | Unset = UNSET,
        cursor: str | Unset = UNSET,
        limit: int | Unset = 100,
        updated_after: datetime.datetime | Unset = UNSET,
        timeout: float | None = None,
    ) -> InstallationPage:
        """List installations."""
        request = list_installations.request(
            org,
            backend=backend,
            cursor=cursor,
            limit=limit,
            updated_after=updated_after,
        )
        return self._call("list_installations", request, list_installations.parse, timeout)

    def create_installation(
        self,
        org: str,
        body: NewInstallation,
        *,
        timeout: float | None = None,
    ) -> Installation:
        """Begin to set a platform up.

        The answer has the first setup steps. A secret in them is shown this once.
        """
        request = create_installation.request(
            org,
            body=body,
        )
        return self._call("create_installation", request, create_installation.parse, timeout)

    def get_installation(
        self,
        org: str,
        id: str,
        *,
        probe: bool | Unset = False,
        timeout: float | None = None,
    ) -> Installation:
        """Read an installation, its steps and its health."""
        request = get_installation.request(
            org,
            id,
            probe=probe,
        )
        return self._call("get_installation", request, get_installation.parse, timeout)

    def remove_installation(
        self,
        org: str,
        id: str,
        *,
        timeout: float | None = None,
    ) -> None:
        """Remove an installation.

        What setup put on the platform is taken back; links and channels become tombstones; what waits is
        called off.
        """
        request = remove_installation.request(
            org,
            id,
        )
        return self._call("remove_installation", request, remove_installation.parse, timeout)

    def change_installation(
        self,
        org: str,
        id: str,
        body: ChangedInstallation,
        *,
        timeout: float | None = None,
    ) -> Installation:
        """Change an installation's settings."""
        request = change_installation.request(
            org,
            id,
            body=body,
        )
        return self._call("change_installation", request, change_installation.parse, timeout)

    def get_commands(
        self,
        org: str,
        id: str,
        *,
        timeout: float | None = None,
    ) -> CommandSet:
        """Read the declared commands, and whether the platform offers them."""
        request = get_commands.request(
            org,
            id,
        )
        return self._call("get_commands", request, get_commands.parse, timeout)

    def declare_commands(
        self,
        org: str,
        id: str,
        body: Declaration,
        *,
        timeout: float | None = None,
    ) -> CommandSet:
        """Declare the commands that people can use.

        They replace those that were declared before. The platform gets to know them as soon as the
        installation is active; the same list once more changes nothing, but is tried at once where
        something failed or is missing. A use is the event `command.invoked`, which can be answered at once.
        """
        request = declare_commands.request(
            org,
            id,
            body=body,
        )
        return self._call("declare_commands", request, declare_commands.parse, timeout)

    def reauthorize_installation(
        self,
        org: str,
        id: str,
        *,
        timeout: float | None = None,
    ) -> Installation:
        """Ask for new secrets; links and channels stay."""
        request = reauthorize_installation.request(
            org,
            id,
        )
        return self._call("reauthorize_installation", request, reauthorize_installation.parse, timeout)

    def resume_installation(
        self,
        org: str,
        id: str,
        *,
        timeout: float | None = None,
    ) -> Installation:
        """Let a suspended installation go on."""
        request = resume_installation.request(
            org,
            id,
        )
        return self._call("resume_installation", request, resume_installation.parse, timeout)

    def submit_setup(
        self,
        org: str,
        id: str,
        body: Submission,
        *,
        timeout: float | None = None,
    ) -> Installation:
        """Submit what a person filled in."""
        request = submit_setup.request(
            org,
            id,
            body=body,
        )
        return self._call("submit_setup", request, submit_setup.parse, timeout)


AnyEvent = (
    AccountChangedEvent
    | AccountLinkedEvent
    | AccountUnlinkedEvent
    | ActionInvokedEvent
    | ChannelChangedEvent
    | ChannelLinkedEvent
    | ChannelRemovedEvent
    | CommandInvokedEvent
    | InstallationActivatedEvent
    | InstallationRemovedEvent
    | InstallationSuspendedEvent
    | MessageDeliveredEvent
    | MessageFailedEvent
    | ReplyPostedEvent
    | UnknownEvent
)
