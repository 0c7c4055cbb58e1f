from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import (
    TYPE_CHECKING,
    Any,
    Literal,
    TypeVar,
    cast,
)

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.installation_event import InstallationEvent


T = TypeVar("T", bound="InstallationSuspendedEvent")


@_attrs_define
class InstallationSuspendedEvent:
    """An installation needs a person; its messages wait.

    Attributes:
        data (InstallationEvent): The `data` of `installation.activated`, `installation.suspended` and
            `installation.removed`. With an installation its links and channels are gone too.
        id (str): What the host tells the application.
        organization (str): The application's own id of an organization: 1 to 128 of `[A-Za-z0-9._:@-]`.
        timestamp (datetime.datetime): When it happened.
        type_ (Literal['installation.suspended']): What kind.
    """

    data: InstallationEvent
    id: str
    organization: str
    timestamp: datetime.datetime
    type_: Literal["installation.suspended"]
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        data = self.data.to_dict()

        id = self.id

        organization = self.organization

        timestamp = self.timestamp.isoformat()

        type_ = self.type_

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "data": data,
                "id": id,
                "organization": organization,
                "timestamp": timestamp,
                "type": type_,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.installation_event import InstallationEvent  # noqa: PLC0415

        d = dict(src_dict)
        data = InstallationEvent.from_dict(d.pop("data"))

        id = d.pop("id")

        organization = d.pop("organization")

        timestamp = datetime.datetime.fromisoformat(d.pop("timestamp"))

        type_ = cast(Literal["installation.suspended"], d.pop("type"))
        if type_ != "installation.suspended":
            raise ValueError(f"type must match const 'installation.suspended', got '{type_}'")

        installation_suspended_event = cls(
            data=data,
            id=id,
            organization=organization,
            timestamp=timestamp,
            type_=type_,
        )

        installation_suspended_event.additional_properties = d
        return installation_suspended_event

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
