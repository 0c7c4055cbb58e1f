from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="FactInput")


@_attrs_define
class FactInput:
    """A named value.

    Attributes:
        name (str): What it is.
        value (str): CommonMark, one line.
        short (bool | Unset): Whether two of these fit side by side. Default: False.
    """

    name: str
    value: str
    short: bool | Unset = False

    def to_dict(self) -> dict[str, Any]:
        name = self.name

        value = self.value

        short = self.short

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "name": name,
                "value": value,
            }
        )
        if short is not UNSET:
            field_dict["short"] = short

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        name = d.pop("name")

        value = d.pop("value")

        short = d.pop("short", UNSET)

        fact_input = cls(
            name=name,
            value=value,
            short=short,
        )

        return fact_input
