from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="NewInstallation")


@_attrs_define
class NewInstallation:
    """A platform to be set up.

    Attributes:
        backend (str): The backend's id, from the catalogue.
        settings (Any | Unset): As the backend's `settings_schema` says.
    """

    backend: str
    settings: Any | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        backend = self.backend

        settings = self.settings

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "backend": backend,
            }
        )
        if settings is not UNSET:
            field_dict["settings"] = settings

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        backend = d.pop("backend")

        settings = d.pop("settings", UNSET)

        new_installation = cls(
            backend=backend,
            settings=settings,
        )

        return new_installation
