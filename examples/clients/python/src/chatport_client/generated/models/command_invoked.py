from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.command_place import CommandPlace
    from ..models.linked_account import LinkedAccount


T = TypeVar("T", bound="CommandInvoked")


@_attrs_define
class CommandInvoked:
    """`command.invoked`: somebody used a declared command, or typed something that Chatport
    doesn't know.

        Attributes:
            account (LinkedAccount): An account on a platform, as applications read it.
            backend (str): Its backend.
            channel (None | str): The channel in which it was typed, if it is a connected one.
            command (None | str): The name of the declared command; null for anything else.
            conversation (CommandPlace): Where a command was typed.
            installation (str): One backend set up for one organization.
            text (str): The text after the command's name.
            user (None | str): The user, if the account is linked.
    """

    account: LinkedAccount
    backend: str
    channel: None | str
    command: None | str
    conversation: CommandPlace
    installation: str
    text: str
    user: None | str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        account = self.account.to_dict()

        backend = self.backend

        channel: None | str
        channel = self.channel

        command: None | str
        command = self.command

        conversation = self.conversation.to_dict()

        installation = self.installation

        text = self.text

        user: None | str
        user = self.user

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "account": account,
                "backend": backend,
                "channel": channel,
                "command": command,
                "conversation": conversation,
                "installation": installation,
                "text": text,
                "user": user,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.command_place import CommandPlace  # noqa: PLC0415
        from ..models.linked_account import LinkedAccount  # noqa: PLC0415

        d = dict(src_dict)
        account = LinkedAccount.from_dict(d.pop("account"))

        backend = d.pop("backend")

        def _parse_channel(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        channel = _parse_channel(d.pop("channel"))

        def _parse_command(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        command = _parse_command(d.pop("command"))

        conversation = CommandPlace.from_dict(d.pop("conversation"))

        installation = d.pop("installation")

        text = d.pop("text")

        def _parse_user(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        user = _parse_user(d.pop("user"))

        command_invoked = cls(
            account=account,
            backend=backend,
            channel=channel,
            command=command,
            conversation=conversation,
            installation=installation,
            text=text,
            user=user,
        )

        command_invoked.additional_properties = d
        return command_invoked

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
