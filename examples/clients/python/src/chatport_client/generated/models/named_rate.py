from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.rate_per import RatePer, check_rate_per

T = TypeVar("T", bound="NamedRate")


@_attrs_define
class NamedRate:
    """
    Attributes:
        burst (int):
        name (str):
        per (RatePer): Who shares a rate.
        per_second (float):
    """

    burst: int
    name: str
    per: RatePer
    per_second: float
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        burst = self.burst

        name = self.name

        per: str = self.per

        per_second = self.per_second

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "burst": burst,
                "name": name,
                "per": per,
                "per_second": per_second,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        burst = d.pop("burst")

        name = d.pop("name")

        per = check_rate_per(d.pop("per"))

        per_second = d.pop("per_second")

        named_rate = cls(
            burst=burst,
            name=name,
            per=per,
            per_second=per_second,
        )

        named_rate.additional_properties = d
        return named_rate

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
