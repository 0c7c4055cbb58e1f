from __future__ import annotations

import datetime
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

if TYPE_CHECKING:
    from ..models.channel_event import ChannelEvent


T = TypeVar("T", bound="ChannelChangedEvent")


@_attrs_define
class ChannelChangedEvent:
    """A channel has another name, status or default mark.

    Attributes:
        data (ChannelEvent): The `data` of `channel.linked`, `channel.changed` and `channel.removed`.
        id (str): What the host tells the application.
        organization (str): The application's own id of an organization: 1 to 128 of `[A-Za-z0-9._:@-]`.
        timestamp (datetime.datetime): When it happened.
        type_ (Literal['channel.changed']): What kind.
    """

    data: ChannelEvent
    id: str
    organization: str
    timestamp: datetime.datetime
    type_: Literal["channel.changed"]
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        data = self.data.to_dict()

        id = self.id

        organization = self.organization

        timestamp = self.timestamp.isoformat()

        type_ = self.type_

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "data": data,
                "id": id,
                "organization": organization,
                "timestamp": timestamp,
                "type": type_,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.channel_event import ChannelEvent  # noqa: PLC0415

        d = dict(src_dict)
        data = ChannelEvent.from_dict(d.pop("data"))

        id = d.pop("id")

        organization = d.pop("organization")

        timestamp = datetime.datetime.fromisoformat(d.pop("timestamp"))

        type_ = cast(Literal["channel.changed"], d.pop("type"))
        if type_ != "channel.changed":
            raise ValueError(f"type must match const 'channel.changed', got '{type_}'")

        channel_changed_event = cls(
            data=data,
            id=id,
            organization=organization,
            timestamp=timestamp,
            type_=type_,
        )

        channel_changed_event.additional_properties = d
        return channel_changed_event

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
