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
    from ..models.field import Field


T = TypeVar("T", bound="FieldsStep")


@_attrs_define
class FieldsStep:
    """Fill in fields and submit them.

    Attributes:
        expires_at (datetime.datetime | None): Until when it can be done.
        fields (list[Field]): The fields, in order.
        id (str): Stable name, unique within the steps shown together.
        kind (Literal['fields']):
        optional (bool): Whether setup goes on without it.
        text (str): CommonMark: what to do and why.
        title (str): A few words.
    """

    expires_at: datetime.datetime | None
    fields: list[Field]
    id: str
    kind: Literal["fields"]
    optional: bool
    text: str
    title: str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        expires_at: None | str
        if isinstance(self.expires_at, datetime.datetime):
            expires_at = self.expires_at.isoformat()
        else:
            expires_at = self.expires_at

        fields = []
        for fields_item_data in self.fields:
            fields_item = fields_item_data.to_dict()
            fields.append(fields_item)

        id = self.id

        kind = self.kind

        optional = self.optional

        text = self.text

        title = self.title

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "expires_at": expires_at,
                "fields": fields,
                "id": id,
                "kind": kind,
                "optional": optional,
                "text": text,
                "title": title,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.field import Field  # noqa: PLC0415

        d = dict(src_dict)

        def _parse_expires_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                expires_at_type_0 = datetime.datetime.fromisoformat(data)

                return expires_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        expires_at = _parse_expires_at(d.pop("expires_at"))

        fields = []
        _fields = d.pop("fields")
        for fields_item_data in _fields:
            fields_item = Field.from_dict(fields_item_data)

            fields.append(fields_item)

        id = d.pop("id")

        kind = cast(Literal["fields"], d.pop("kind"))
        if kind != "fields":
            raise ValueError(f"kind must match const 'fields', got '{kind}'")

        optional = d.pop("optional")

        text = d.pop("text")

        title = d.pop("title")

        fields_step = cls(
            expires_at=expires_at,
            fields=fields,
            id=id,
            kind=kind,
            optional=optional,
            text=text,
            title=title,
        )

        fields_step.additional_properties = d
        return fields_step

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
