from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

T = TypeVar("T", bound="Fact")


@_attrs_define
class Fact:
    """A named value.

    Attributes:
        name (str): What it is.
        short (bool): Whether two of these fit side by side. Default: False.
        value (str): CommonMark, one line.
    """

    name: str
    value: str
    short: bool = False

    def to_dict(self) -> dict[str, Any]:
        name = self.name

        short = self.short

        value = self.value

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "name": name,
                "short": short,
                "value": value,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        name = d.pop("name")

        short = d.pop("short")

        value = d.pop("value")

        fact = cls(
            name=name,
            short=short,
            value=value,
        )

        return fact
