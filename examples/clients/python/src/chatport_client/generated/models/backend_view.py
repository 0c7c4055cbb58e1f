from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.limits import Limits
    from ..models.named_rate import NamedRate
    from ..models.parts import Parts


T = TypeVar("T", bound="BackendView")


@_attrs_define
class BackendView:
    """One backend.

    Attributes:
        description (str): What it does, in a sentence.
        icon (None | str): A small picture as a `data:` URL.
        id (str): Its id.
        limits (Limits): What a platform takes in one post.
        loopback_only (bool): Whether it can be used only where the host listens on loopback.
        name (str): The platform's name.
        needs_public_url (bool): Whether it can be set up only if the host has a public address.
        parts (Parts): What a backend can do.
        rates (list[NamedRate]): The rates that sending keeps to.
        settings_schema (Any): JSON Schema of the settings of an installation.
    """

    description: str
    icon: None | str
    id: str
    limits: Limits
    loopback_only: bool
    name: str
    needs_public_url: bool
    parts: Parts
    rates: list[NamedRate]
    settings_schema: Any
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        description = self.description

        icon: None | str
        icon = self.icon

        id = self.id

        limits = self.limits.to_dict()

        loopback_only = self.loopback_only

        name = self.name

        needs_public_url = self.needs_public_url

        parts = self.parts.to_dict()

        rates = []
        for rates_item_data in self.rates:
            rates_item = rates_item_data.to_dict()
            rates.append(rates_item)

        settings_schema = self.settings_schema

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "description": description,
                "icon": icon,
                "id": id,
                "limits": limits,
                "loopback_only": loopback_only,
                "name": name,
                "needs_public_url": needs_public_url,
                "parts": parts,
                "rates": rates,
                "settings_schema": settings_schema,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.limits import Limits  # noqa: PLC0415
        from ..models.named_rate import NamedRate  # noqa: PLC0415
        from ..models.parts import Parts  # noqa: PLC0415

        d = dict(src_dict)
        description = d.pop("description")

        def _parse_icon(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        icon = _parse_icon(d.pop("icon"))

        id = d.pop("id")

        limits = Limits.from_dict(d.pop("limits"))

        loopback_only = d.pop("loopback_only")

        name = d.pop("name")

        needs_public_url = d.pop("needs_public_url")

        parts = Parts.from_dict(d.pop("parts"))

        rates = []
        _rates = d.pop("rates")
        for rates_item_data in _rates:
            rates_item = NamedRate.from_dict(rates_item_data)

            rates.append(rates_item)

        settings_schema = d.pop("settings_schema")

        backend_view = cls(
            description=description,
            icon=icon,
            id=id,
            limits=limits,
            loopback_only=loopback_only,
            name=name,
            needs_public_url=needs_public_url,
            parts=parts,
            rates=rates,
            settings_schema=settings_schema,
        )

        backend_view.additional_properties = d
        return backend_view

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
