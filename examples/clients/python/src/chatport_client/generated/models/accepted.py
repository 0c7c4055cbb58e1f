from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.copy_view import CopyView


T = TypeVar("T", bound="Accepted")


@_attrs_define
class Accepted:
    """The answer to an accepted message.

    Attributes:
        changed (bool): Whether this request changed anything.
        copies (list[CopyView]): The copies that will show it.
        key (str): The key.
        revision (int): The newest revision.
    """

    changed: bool
    copies: list[CopyView]
    key: str
    revision: int
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        changed = self.changed

        copies = []
        for copies_item_data in self.copies:
            copies_item = copies_item_data.to_dict()
            copies.append(copies_item)

        key = self.key

        revision = self.revision

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "changed": changed,
                "copies": copies,
                "key": key,
                "revision": revision,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.copy_view import CopyView  # noqa: PLC0415

        d = dict(src_dict)
        changed = d.pop("changed")

        copies = []
        _copies = d.pop("copies")
        for copies_item_data in _copies:
            copies_item = CopyView.from_dict(copies_item_data)

            copies.append(copies_item)

        key = d.pop("key")

        revision = d.pop("revision")

        accepted = cls(
            changed=changed,
            copies=copies,
            key=key,
            revision=revision,
        )

        accepted.additional_properties = d
        return accepted

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
