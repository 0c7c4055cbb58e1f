from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.linked_account import LinkedAccount


T = TypeVar("T", bound="ActionInvoked")


@_attrs_define
class ActionInvoked:
    """`action.invoked`: somebody pressed a button or chose from a menu.

    Attributes:
        account (LinkedAccount): An account on a platform, as applications read it.
        action (str): The id of the action.
        backend (str): Its backend.
        channel (None | str): The channel in which it stands, if it is a connected one.
        choice (None | str): The value of what was chosen.
        copy (str): A message at an address.
        installation (str): One backend set up for one organization.
        message (str): The key of the message.
        revision (int): The revision that the presser saw.
        user (None | str): The user, if the account is linked.
    """

    account: LinkedAccount
    action: str
    backend: str
    channel: None | str
    choice: None | str
    copy: str
    installation: str
    message: str
    revision: int
    user: None | str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        account = self.account.to_dict()

        action = self.action

        backend = self.backend

        channel: None | str
        channel = self.channel

        choice: None | str
        choice = self.choice

        copy = self.copy

        installation = self.installation

        message = self.message

        revision = self.revision

        user: None | str
        user = self.user

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "account": account,
                "action": action,
                "backend": backend,
                "channel": channel,
                "choice": choice,
                "copy": copy,
                "installation": installation,
                "message": message,
                "revision": revision,
                "user": user,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.linked_account import LinkedAccount  # noqa: PLC0415

        d = dict(src_dict)
        account = LinkedAccount.from_dict(d.pop("account"))

        action = d.pop("action")

        backend = d.pop("backend")

        def _parse_channel(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        channel = _parse_channel(d.pop("channel"))

        def _parse_choice(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        choice = _parse_choice(d.pop("choice"))

        copy = d.pop("copy")

        installation = d.pop("installation")

        message = d.pop("message")

        revision = d.pop("revision")

        def _parse_user(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        user = _parse_user(d.pop("user"))

        action_invoked = cls(
            account=account,
            action=action,
            backend=backend,
            channel=channel,
            choice=choice,
            copy=copy,
            installation=installation,
            message=message,
            revision=revision,
            user=user,
        )

        action_invoked.additional_properties = d
        return action_invoked

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
