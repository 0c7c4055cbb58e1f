from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="ReplyTo")


@_attrs_define
class ReplyTo:
    """A message to reply to.

    Attributes:
        message (str): The key of the message.
        channel (None | str | Unset): Its copy in this channel; absent: its first copy in the user's installation.
    """

    message: str
    channel: None | str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        message = self.message

        channel: None | str | Unset
        if isinstance(self.channel, Unset):
            channel = UNSET
        else:
            channel = self.channel

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "message": message,
            }
        )
        if channel is not UNSET:
            field_dict["channel"] = channel

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        message = d.pop("message")

        def _parse_channel(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        channel = _parse_channel(d.pop("channel", UNSET))

        reply_to = cls(
            message=message,
            channel=channel,
        )

        return reply_to
