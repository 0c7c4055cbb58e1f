from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.copy_with_attempts import CopyWithAttempts
    from ..models.put_message import PutMessage


T = TypeVar("T", bound="MessageView")


@_attrs_define
class MessageView:
    """A message as it stands.

    Attributes:
        copies (list[CopyWithAttempts]): Its copies, the lines of its log among them.
        deleted (bool): Whether it has been deleted.
        key (str): The key.
        message (PutMessage): What an application wants to be shown, and where.
        revision (int): The newest revision.
    """

    copies: list[CopyWithAttempts]
    deleted: bool
    key: str
    message: PutMessage
    revision: int
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        copies = []
        for copies_item_data in self.copies:
            copies_item = copies_item_data.to_dict()
            copies.append(copies_item)

        deleted = self.deleted

        key = self.key

        message = self.message.to_dict()

        revision = self.revision

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "copies": copies,
                "deleted": deleted,
                "key": key,
                "message": message,
                "revision": revision,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.copy_with_attempts import CopyWithAttempts  # noqa: PLC0415
        from ..models.put_message import PutMessage  # noqa: PLC0415

        d = dict(src_dict)
        copies = []
        _copies = d.pop("copies")
        for copies_item_data in _copies:
            copies_item = CopyWithAttempts.from_dict(copies_item_data)

            copies.append(copies_item)

        deleted = d.pop("deleted")

        key = d.pop("key")

        message = PutMessage.from_dict(d.pop("message"))

        revision = d.pop("revision")

        message_view = cls(
            copies=copies,
            deleted=deleted,
            key=key,
            message=message,
            revision=revision,
        )

        message_view.additional_properties = d
        return message_view

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
