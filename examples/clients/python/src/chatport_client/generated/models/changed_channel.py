from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="ChangedChannel")


@_attrs_define
class ChangedChannel:
    """What to change in a channel.

    Attributes:
        is_default (bool | None | Unset): Make it the default of its installation; only `true` can be said.
        storm_guard (bool | None | Unset): Whether first posts that had to wait there for long become one summary with a
            link to
            each: ten or more of which one waits for half a minute. Urgent messages, final
            revisions and those with a log never do. Holds for messages that are put from now on.
    """

    is_default: bool | None | Unset = UNSET
    storm_guard: bool | None | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        is_default: bool | None | Unset
        if isinstance(self.is_default, Unset):
            is_default = UNSET
        else:
            is_default = self.is_default

        storm_guard: bool | None | Unset
        if isinstance(self.storm_guard, Unset):
            storm_guard = UNSET
        else:
            storm_guard = self.storm_guard

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if is_default is not UNSET:
            field_dict["is_default"] = is_default
        if storm_guard is not UNSET:
            field_dict["storm_guard"] = storm_guard

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)

        def _parse_is_default(data: object) -> bool | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(bool | None | Unset, data)

        is_default = _parse_is_default(d.pop("is_default", UNSET))

        def _parse_storm_guard(data: object) -> bool | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(bool | None | Unset, data)

        storm_guard = _parse_storm_guard(d.pop("storm_guard", UNSET))

        changed_channel = cls(
            is_default=is_default,
            storm_guard=storm_guard,
        )

        return changed_channel
