from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.purpose import Purpose, check_purpose
from ..types import UNSET, Unset

T = TypeVar("T", bound="NewCode")


@_attrs_define
class NewCode:
    """A code to be made.

    Attributes:
        purpose (Purpose): What a code links.
        backend (None | str | Unset): Or a backend: its one active installation.
        installation (None | str | Unset): The installation in which it is to be entered.
        user (None | str | Unset): The application's id of the user; required for `user`.
    """

    purpose: Purpose
    backend: None | str | Unset = UNSET
    installation: None | str | Unset = UNSET
    user: None | str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        purpose: str = self.purpose

        backend: None | str | Unset
        if isinstance(self.backend, Unset):
            backend = UNSET
        else:
            backend = self.backend

        installation: None | str | Unset
        if isinstance(self.installation, Unset):
            installation = UNSET
        else:
            installation = self.installation

        user: None | str | Unset
        if isinstance(self.user, Unset):
            user = UNSET
        else:
            user = self.user

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "purpose": purpose,
            }
        )
        if backend is not UNSET:
            field_dict["backend"] = backend
        if installation is not UNSET:
            field_dict["installation"] = installation
        if user is not UNSET:
            field_dict["user"] = user

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        purpose = check_purpose(d.pop("purpose"))

        def _parse_backend(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        backend = _parse_backend(d.pop("backend", UNSET))

        def _parse_installation(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        installation = _parse_installation(d.pop("installation", UNSET))

        def _parse_user(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        user = _parse_user(d.pop("user", UNSET))

        new_code = cls(
            purpose=purpose,
            backend=backend,
            installation=installation,
            user=user,
        )

        return new_code
