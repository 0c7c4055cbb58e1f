from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.problem_type import ProblemType, check_problem_type
from ..types import UNSET, Unset

T = TypeVar("T", bound="ProblemDetails")


@_attrs_define
class ProblemDetails:
    """What is wrong, in the form of RFC 9457. A kind of problem may have more members.

    Attributes:
        cure (str): What to do about it.
        status (int):
        title (str): The kind in words.
        type_ (ProblemType): The kind of problem; it never changes. More may come.
        cause (str | Unset): Why a platform refused.
        detail (str | Unset): What is wrong this time.
        field (str | Unset): The field of a form that was refused.
        installation (str | Unset): The installation that isn't in the right state.
        installations (list[str] | Unset): The installations of which one must be named.
        pointer (str | Unset): Where in the body it is wrong: a JSON pointer (RFC 6901).
        request_id (str | Unset): What to quote when asking for help.
        state (str | Unset): The state that it is in.
    """

    cure: str
    status: int
    title: str
    type_: ProblemType
    cause: str | Unset = UNSET
    detail: str | Unset = UNSET
    field: str | Unset = UNSET
    installation: str | Unset = UNSET
    installations: list[str] | Unset = UNSET
    pointer: str | Unset = UNSET
    request_id: str | Unset = UNSET
    state: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        cure = self.cure

        status = self.status

        title = self.title

        type_: str = self.type_

        cause = self.cause

        detail = self.detail

        field = self.field

        installation = self.installation

        installations: list[str] | Unset = UNSET
        if not isinstance(self.installations, Unset):
            installations = self.installations

        pointer = self.pointer

        request_id = self.request_id

        state = self.state

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "cure": cure,
                "status": status,
                "title": title,
                "type": type_,
            }
        )
        if cause is not UNSET:
            field_dict["cause"] = cause
        if detail is not UNSET:
            field_dict["detail"] = detail
        if field is not UNSET:
            field_dict["field"] = field
        if installation is not UNSET:
            field_dict["installation"] = installation
        if installations is not UNSET:
            field_dict["installations"] = installations
        if pointer is not UNSET:
            field_dict["pointer"] = pointer
        if request_id is not UNSET:
            field_dict["request_id"] = request_id
        if state is not UNSET:
            field_dict["state"] = state

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        cure = d.pop("cure")

        status = d.pop("status")

        title = d.pop("title")

        type_ = check_problem_type(d.pop("type"))

        cause = d.pop("cause", UNSET)

        detail = d.pop("detail", UNSET)

        field = d.pop("field", UNSET)

        installation = d.pop("installation", UNSET)

        installations = cast(list[str], d.pop("installations", UNSET))

        pointer = d.pop("pointer", UNSET)

        request_id = d.pop("request_id", UNSET)

        state = d.pop("state", UNSET)

        problem_details = cls(
            cure=cure,
            status=status,
            title=title,
            type_=type_,
            cause=cause,
            detail=detail,
            field=field,
            installation=installation,
            installations=installations,
            pointer=pointer,
            request_id=request_id,
            state=state,
        )

        problem_details.additional_properties = d
        return problem_details

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
