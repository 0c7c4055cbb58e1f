from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.length_unit import LengthUnit, check_length_unit

T = TypeVar("T", bound="Limits")


@_attrs_define
class Limits:
    """What a platform takes in one post.

    Attributes:
        actions (int): Most actions in one post.
        choices (int): Most choices of a menu.
        text (int): Longest text of one post.
        threads (bool): Whether replies form a thread under the message.
        unit (LengthUnit): How a platform counts lengths.

            ```
            use chatport_sdk::prelude::*;

            let text = "né 📟";
            assert_eq!(LengthUnit::Characters.length(text), 4);
            assert_eq!(LengthUnit::Utf16.length(text), 5);
            assert_eq!(LengthUnit::Bytes.length(text), 8);
            ```
    """

    actions: int
    choices: int
    text: int
    threads: bool
    unit: LengthUnit
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        actions = self.actions

        choices = self.choices

        text = self.text

        threads = self.threads

        unit: str = self.unit

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "actions": actions,
                "choices": choices,
                "text": text,
                "threads": threads,
                "unit": unit,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        actions = d.pop("actions")

        choices = d.pop("choices")

        text = d.pop("text")

        threads = d.pop("threads")

        unit = check_length_unit(d.pop("unit"))

        limits = cls(
            actions=actions,
            choices=choices,
            text=text,
            threads=threads,
            unit=unit,
        )

        limits.additional_properties = d
        return limits

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
