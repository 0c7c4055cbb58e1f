from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="DefaultTarget")


@_attrs_define
class DefaultTarget:
    """The default channel.

    Attributes:
        default (bool): Always `true`.
        installation (None | str | Unset): Of this installation; absent: of each active one.
    """

    default: bool
    installation: None | str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        default = self.default

        installation: None | str | Unset
        if isinstance(self.installation, Unset):
            installation = UNSET
        else:
            installation = self.installation

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "default": default,
            }
        )
        if installation is not UNSET:
            field_dict["installation"] = installation

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        default = d.pop("default")

        def _parse_installation(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        installation = _parse_installation(d.pop("installation", UNSET))

        default_target = cls(
            default=default,
            installation=installation,
        )

        return default_target
