from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.channel_directory_entry import ChannelDirectoryEntry
    from ..models.person_directory_entry import PersonDirectoryEntry


T = TypeVar("T", bound="Resolved")


@_attrs_define
class Resolved:
    """What has this address or name.

    Attributes:
        items (list[ChannelDirectoryEntry | PersonDirectoryEntry]): Usually one entry or none; a name may stand for
            several.
    """

    items: list[ChannelDirectoryEntry | PersonDirectoryEntry]
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.person_directory_entry import PersonDirectoryEntry  # noqa: PLC0415

        items = []
        for items_item_data in self.items:
            items_item: dict[str, Any]
            if isinstance(items_item_data, PersonDirectoryEntry):
                items_item = items_item_data.to_dict()
            else:
                items_item = items_item_data.to_dict()

            items.append(items_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "items": items,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.channel_directory_entry import ChannelDirectoryEntry  # noqa: PLC0415
        from ..models.person_directory_entry import PersonDirectoryEntry  # noqa: PLC0415

        d = dict(src_dict)
        items = []
        _items = d.pop("items")
        for items_item_data in _items:

            def _parse_items_item(data: object) -> ChannelDirectoryEntry | PersonDirectoryEntry:
                try:
                    if not isinstance(data, dict):
                        raise TypeError()
                    componentsschemas_directory_entry_person_directory_entry = PersonDirectoryEntry.from_dict(data)

                    return componentsschemas_directory_entry_person_directory_entry
                except (TypeError, ValueError, AttributeError, KeyError):
                    pass
                if not isinstance(data, dict):
                    raise TypeError()
                componentsschemas_directory_entry_channel_directory_entry = ChannelDirectoryEntry.from_dict(data)

                return componentsschemas_directory_entry_channel_directory_entry

            items_item = _parse_items_item(items_item_data)

            items.append(items_item)

        resolved = cls(
            items=items,
        )

        resolved.additional_properties = d
        return resolved

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
