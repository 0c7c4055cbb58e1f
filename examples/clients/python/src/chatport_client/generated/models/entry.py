from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="Entry")


@_attrs_define
class Entry:
    """Something that somebody did.

    Attributes:
        action (str): What, e.g. `installation.submit`.
        actor (str): Who: `key:…`, `host`, or an account on a platform.
        at (datetime.datetime): When.
        object_ (str): To what.
        organization (None | str): The organization, where it is one's.
        request_id (None | str): The request, as it stands in the log.
        result (str): How it ended.
    """

    action: str
    actor: str
    at: datetime.datetime
    object_: str
    organization: None | str
    request_id: None | str
    result: str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        action = self.action

        actor = self.actor

        at = self.at.isoformat()

        object_ = self.object_

        organization: None | str
        organization = self.organization

        request_id: None | str
        request_id = self.request_id

        result = self.result

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "action": action,
                "actor": actor,
                "at": at,
                "object": object_,
                "organization": organization,
                "request_id": request_id,
                "result": result,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        action = d.pop("action")

        actor = d.pop("actor")

        at = datetime.datetime.fromisoformat(d.pop("at"))

        object_ = d.pop("object")

        def _parse_organization(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        organization = _parse_organization(d.pop("organization"))

        def _parse_request_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        request_id = _parse_request_id(d.pop("request_id"))

        result = d.pop("result")

        entry = cls(
            action=action,
            actor=actor,
            at=at,
            object_=object_,
            organization=organization,
            request_id=request_id,
            result=result,
        )

        entry.additional_properties = d
        return entry

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
