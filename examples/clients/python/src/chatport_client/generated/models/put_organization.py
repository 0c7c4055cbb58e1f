from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="PutOrganization")


@_attrs_define
class PutOrganization:
    """What an application says of an organization.

    Attributes:
        locale (str | Unset): The language of texts that Chatport writes itself, e.g. `en`. Default: 'en'.
        name (str | Unset): Its name, for people. Default: ''.
    """

    locale: str | Unset = "en"
    name: str | Unset = ""

    def to_dict(self) -> dict[str, Any]:
        locale = self.locale

        name = self.name

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if locale is not UNSET:
            field_dict["locale"] = locale
        if name is not UNSET:
            field_dict["name"] = name

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        locale = d.pop("locale", UNSET)

        name = d.pop("name", UNSET)

        put_organization = cls(
            locale=locale,
            name=name,
        )

        return put_organization
