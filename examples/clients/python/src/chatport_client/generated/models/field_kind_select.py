from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define

if TYPE_CHECKING:
    from ..models.select_option import SelectOption


T = TypeVar("T", bound="FieldKindSelect")


@_attrs_define
class FieldKindSelect:
    """One of these.

    Attributes:
        select (list[SelectOption]):
    """

    select: list[SelectOption]

    def to_dict(self) -> dict[str, Any]:
        select = []
        for select_item_data in self.select:
            select_item = select_item_data.to_dict()
            select.append(select_item)

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "select": select,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.select_option import SelectOption  # noqa: PLC0415

        d = dict(src_dict)
        select = []
        _select = d.pop("select")
        for select_item_data in _select:
            select_item = SelectOption.from_dict(select_item_data)

            select.append(select_item)

        field_kind_select = cls(
            select=select,
        )

        return field_kind_select
