from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.copy_view import CopyView
    from ..models.failure_view import FailureView


T = TypeVar("T", bound="MessageEvent")


@_attrs_define
class MessageEvent:
    """How a revision of a copy ended.

    Attributes:
        copy (CopyView): One message at one address.
        message (str): The message's key.
        revision (int): The revision.
        failure (FailureView | None | Unset): Why it will not be shown; absent where it is.
    """

    copy: CopyView
    message: str
    revision: int
    failure: FailureView | None | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.failure_view import FailureView  # noqa: PLC0415

        copy = self.copy.to_dict()

        message = self.message

        revision = self.revision

        failure: dict[str, Any] | None | Unset
        if isinstance(self.failure, Unset):
            failure = UNSET
        elif isinstance(self.failure, FailureView):
            failure = self.failure.to_dict()
        else:
            failure = self.failure

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "copy": copy,
                "message": message,
                "revision": revision,
            }
        )
        if failure is not UNSET:
            field_dict["failure"] = failure

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.copy_view import CopyView  # noqa: PLC0415
        from ..models.failure_view import FailureView  # noqa: PLC0415

        d = dict(src_dict)
        copy = CopyView.from_dict(d.pop("copy"))

        message = d.pop("message")

        revision = d.pop("revision")

        def _parse_failure(data: object) -> FailureView | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                failure_type_0 = FailureView.from_dict(data)

                return failure_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(FailureView | None | Unset, data)

        failure = _parse_failure(d.pop("failure", UNSET))

        message_event = cls(
            copy=copy,
            message=message,
            revision=revision,
            failure=failure,
        )

        message_event.additional_properties = d
        return message_event

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
