from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

T = TypeVar("T", bound="ChangedInstallation")


@_attrs_define
class ChangedInstallation:
    """New settings.

    Attributes:
        settings (Any): Members to change (RFC 7396: null removes one).
    """

    settings: Any

    def to_dict(self) -> dict[str, Any]:
        settings = self.settings

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "settings": settings,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        settings = d.pop("settings")

        changed_installation = cls(
            settings=settings,
        )

        return changed_installation
