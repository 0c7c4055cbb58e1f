from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.probed import Probed


T = TypeVar("T", bound="InstallationHealth")


@_attrs_define
class InstallationHealth:
    """How an installation is.

    Attributes:
        last_delivered_at (datetime.datetime | None | Unset): When a message last arrived there.
        last_heard_at (datetime.datetime | None | Unset): When the platform last called.
        last_probe (None | Probed | Unset): What the last probe found.
    """

    last_delivered_at: datetime.datetime | None | Unset = UNSET
    last_heard_at: datetime.datetime | None | Unset = UNSET
    last_probe: None | Probed | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.probed import Probed  # noqa: PLC0415

        last_delivered_at: None | str | Unset
        if isinstance(self.last_delivered_at, Unset):
            last_delivered_at = UNSET
        elif isinstance(self.last_delivered_at, datetime.datetime):
            last_delivered_at = self.last_delivered_at.isoformat()
        else:
            last_delivered_at = self.last_delivered_at

        last_heard_at: None | str | Unset
        if isinstance(self.last_heard_at, Unset):
            last_heard_at = UNSET
        elif isinstance(self.last_heard_at, datetime.datetime):
            last_heard_at = self.last_heard_at.isoformat()
        else:
            last_heard_at = self.last_heard_at

        last_probe: dict[str, Any] | None | Unset
        if isinstance(self.last_probe, Unset):
            last_probe = UNSET
        elif isinstance(self.last_probe, Probed):
            last_probe = self.last_probe.to_dict()
        else:
            last_probe = self.last_probe

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if last_delivered_at is not UNSET:
            field_dict["last_delivered_at"] = last_delivered_at
        if last_heard_at is not UNSET:
            field_dict["last_heard_at"] = last_heard_at
        if last_probe is not UNSET:
            field_dict["last_probe"] = last_probe

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.probed import Probed  # noqa: PLC0415

        d = dict(src_dict)

        def _parse_last_delivered_at(data: object) -> datetime.datetime | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                last_delivered_at_type_0 = datetime.datetime.fromisoformat(data)

                return last_delivered_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None | Unset, data)

        last_delivered_at = _parse_last_delivered_at(d.pop("last_delivered_at", UNSET))

        def _parse_last_heard_at(data: object) -> datetime.datetime | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                last_heard_at_type_0 = datetime.datetime.fromisoformat(data)

                return last_heard_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None | Unset, data)

        last_heard_at = _parse_last_heard_at(d.pop("last_heard_at", UNSET))

        def _parse_last_probe(data: object) -> None | Probed | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                last_probe_type_0 = Probed.from_dict(data)

                return last_probe_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | Probed | Unset, data)

        last_probe = _parse_last_probe(d.pop("last_probe", UNSET))

        installation_health = cls(
            last_delivered_at=last_delivered_at,
            last_heard_at=last_heard_at,
            last_probe=last_probe,
        )

        installation_health.additional_properties = d
        return installation_health

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
