from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.linked_account import LinkedAccount


T = TypeVar("T", bound="ReplyPosted")


@_attrs_define
class ReplyPosted:
    """`reply.posted`: somebody replied to a message.

    Attributes:
        account (LinkedAccount): An account on a platform, as applications read it.
        backend (str): Its backend.
        channel (None | str): The channel in which it stands, if it is a connected one.
        copy (str): A message at an address.
        installation (str): One backend set up for one organization.
        message (str): The key of the message.
        text (str): The text as typed.
        user (None | str): The user, if the account is linked.
    """

    account: LinkedAccount
    backend: str
    channel: None | str
    copy: str
    installation: str
    message: str
    text: str
    user: None | str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        account = self.account.to_dict()

        backend = self.backend

        channel: None | str
        channel = self.channel

        copy = self.copy

        installation = self.installation

        message = self.message

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
                "copy": copy,
                "installation": installation,
                "message": message,
                "text": text,
                "user": user,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.linked_account import LinkedAccount  # noqa: PLC0415

        d = dict(src_dict)
        account = LinkedAccount.from_dict(d.pop("account"))

        backend = d.pop("backend")

        def _parse_channel(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        channel = _parse_channel(d.pop("channel"))

        copy = d.pop("copy")

        installation = d.pop("installation")

        message = d.pop("message")

        text = d.pop("text")

        def _parse_user(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        user = _parse_user(d.pop("user"))

        reply_posted = cls(
            account=account,
            backend=backend,
            channel=channel,
            copy=copy,
            installation=installation,
            message=message,
            text=text,
            user=user,
        )

        reply_posted.additional_properties = d
        return reply_posted

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
