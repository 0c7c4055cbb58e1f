from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="SyncProblem")


@_attrs_define
class SyncProblem:
    """Why a platform couldn't be told.

    Attributes:
        again_at (datetime.datetime): When it is tried again.
        code (str): A failure code, as for copies.
        detail (str): In words.
    """

    again_at: datetime.datetime
    code: str
    detail: str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        again_at = self.again_at.isoformat()

        code = self.code

        detail = self.detail

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "again_at": again_at,
                "code": code,
                "detail": detail,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        again_at = datetime.datetime.fromisoformat(d.pop("again_at"))

        code = d.pop("code")

        detail = d.pop("detail")

        sync_problem = cls(
            again_at=again_at,
            code=code,
            detail=detail,
        )

        sync_problem.additional_properties = d
        return sync_problem

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
