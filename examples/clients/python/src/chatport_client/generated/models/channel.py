from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.channel_status import ChannelStatus, check_channel_status
from ..types import UNSET, Unset

T = TypeVar("T", bound="Channel")


@_attrs_define
class Channel:
    """A channel, as applications read it.

    Attributes:
        display_name (str): The name that people read.
        id (str): A conversation connected to an organization.
        installation (str): One backend set up for one organization.
        is_default (bool): Whether messages for the default go here.
        linked_at (datetime.datetime): Since when it is connected.
        name (str): The short name, e.g. `incidents`; may be empty.
        status (ChannelStatus): How a channel is.
        storm_guard (bool): Whether first posts that had to wait for long become one summary. Default: False.
        team (str): The team or workspace that it belongs to; may be empty.
        updated_at (datetime.datetime): When it was changed last.
        removed_at (datetime.datetime | None | Unset): When it was removed; present on tombstones alone.
    """

    display_name: str
    id: str
    installation: str
    is_default: bool
    linked_at: datetime.datetime
    name: str
    status: ChannelStatus
    team: str
    updated_at: datetime.datetime
    storm_guard: bool = False
    removed_at: datetime.datetime | None | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        display_name = self.display_name

        id = self.id

        installation = self.installation

        is_default = self.is_default

        linked_at = self.linked_at.isoformat()

        name = self.name

        status: str = self.status

        storm_guard = self.storm_guard

        team = self.team

        updated_at = self.updated_at.isoformat()

        removed_at: None | str | Unset
        if isinstance(self.removed_at, Unset):
            removed_at = UNSET
        elif isinstance(self.removed_at, datetime.datetime):
            removed_at = self.removed_at.isoformat()
        else:
            removed_at = self.removed_at

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "display_name": display_name,
                "id": id,
                "installation": installation,
                "is_default": is_default,
                "linked_at": linked_at,
                "name": name,
                "status": status,
                "storm_guard": storm_guard,
                "team": team,
                "updated_at": updated_at,
            }
        )
        if removed_at is not UNSET:
            field_dict["removed_at"] = removed_at

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        display_name = d.pop("display_name")

        id = d.pop("id")

        installation = d.pop("installation")

        is_default = d.pop("is_default")

        linked_at = datetime.datetime.fromisoformat(d.pop("linked_at"))

        name = d.pop("name")

        status = check_channel_status(d.pop("status"))

        storm_guard = d.pop("storm_guard")

        team = d.pop("team")

        updated_at = datetime.datetime.fromisoformat(d.pop("updated_at"))

        def _parse_removed_at(data: object) -> datetime.datetime | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                removed_at_type_0 = datetime.datetime.fromisoformat(data)

                return removed_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None | Unset, data)

        removed_at = _parse_removed_at(d.pop("removed_at", UNSET))

        channel = cls(
            display_name=display_name,
            id=id,
            installation=installation,
            is_default=is_default,
            linked_at=linked_at,
            name=name,
            status=status,
            storm_guard=storm_guard,
            team=team,
            updated_at=updated_at,
            removed_at=removed_at,
        )

        channel.additional_properties = d
        return channel

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
