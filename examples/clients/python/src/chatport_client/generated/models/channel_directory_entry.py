from __future__ import annotations

from collections.abc import Mapping
from typing import (
    TYPE_CHECKING,
    Any,
    Literal,
    TypeVar,
    cast,
)

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.posting import Posting, check_posting

if TYPE_CHECKING:
    from ..models.conversation import Conversation


T = TypeVar("T", bound="ChannelDirectoryEntry")


@_attrs_define
class ChannelDirectoryEntry:
    """A channel.

    Attributes:
        can_post (bool): Whether a message would arrive as things are.
        conversation (Conversation): A place on a platform where people talk.
        kind (Literal['channel']):
        posting (Posting): Whether the bot can post in a channel, and why not.
    """

    can_post: bool
    conversation: Conversation
    kind: Literal["channel"]
    posting: Posting
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        can_post = self.can_post

        conversation = self.conversation.to_dict()

        kind = self.kind

        posting: str = self.posting

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "can_post": can_post,
                "conversation": conversation,
                "kind": kind,
                "posting": posting,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.conversation import Conversation  # noqa: PLC0415

        d = dict(src_dict)
        can_post = d.pop("can_post")

        conversation = Conversation.from_dict(d.pop("conversation"))

        kind = cast(Literal["channel"], d.pop("kind"))
        if kind != "channel":
            raise ValueError(f"kind must match const 'channel', got '{kind}'")

        posting = check_posting(d.pop("posting"))

        channel_directory_entry = cls(
            can_post=can_post,
            conversation=conversation,
            kind=kind,
            posting=posting,
        )

        channel_directory_entry.additional_properties = d
        return channel_directory_entry

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
