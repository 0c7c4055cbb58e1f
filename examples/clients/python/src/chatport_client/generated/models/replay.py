from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="Replay")


@_attrs_define
class Replay:
    """What a replay did or would do.

    Attributes:
        before (datetime.datetime): What was given up before this time was looked at. Say it in `before` for the rest,
            so that
            no copy is tried twice.
        remaining (int): How many more are meant, beyond the limit.
        replayed (list[str]): The copies that are tried again.
        without_address (list[str]): Copies that have no address: put their message again once the target exists.
        next_due_at (datetime.datetime | None | Unset): With a `rate`: when the next would become due. Say it in
            `not_before` for the rest, so
            that the rate holds over all of it.
    """

    before: datetime.datetime
    remaining: int
    replayed: list[str]
    without_address: list[str]
    next_due_at: datetime.datetime | None | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        before = self.before.isoformat()

        remaining = self.remaining

        replayed = self.replayed

        without_address = self.without_address

        next_due_at: None | str | Unset
        if isinstance(self.next_due_at, Unset):
            next_due_at = UNSET
        elif isinstance(self.next_due_at, datetime.datetime):
            next_due_at = self.next_due_at.isoformat()
        else:
            next_due_at = self.next_due_at

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "before": before,
                "remaining": remaining,
                "replayed": replayed,
                "without_address": without_address,
            }
        )
        if next_due_at is not UNSET:
            field_dict["next_due_at"] = next_due_at

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        before = datetime.datetime.fromisoformat(d.pop("before"))

        remaining = d.pop("remaining")

        replayed = cast(list[str], d.pop("replayed"))

        without_address = cast(list[str], d.pop("without_address"))

        def _parse_next_due_at(data: object) -> datetime.datetime | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                next_due_at_type_0 = datetime.datetime.fromisoformat(data)

                return next_due_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None | Unset, data)

        next_due_at = _parse_next_due_at(d.pop("next_due_at", UNSET))

        replay = cls(
            before=before,
            remaining=remaining,
            replayed=replayed,
            without_address=without_address,
            next_due_at=next_due_at,
        )

        replay.additional_properties = d
        return replay

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
