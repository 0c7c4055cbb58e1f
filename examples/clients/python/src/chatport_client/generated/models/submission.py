from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define

if TYPE_CHECKING:
    from ..models.submission_fields import SubmissionFields


T = TypeVar("T", bound="Submission")


@_attrs_define
class Submission:
    """What a person filled in.

    Attributes:
        fields (SubmissionFields): The values by the names of the fields; toggles are `true` or `false`.
    """

    fields: SubmissionFields

    def to_dict(self) -> dict[str, Any]:
        fields = self.fields.to_dict()

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "fields": fields,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.submission_fields import SubmissionFields  # noqa: PLC0415

        d = dict(src_dict)
        fields = SubmissionFields.from_dict(d.pop("fields"))

        submission = cls(
            fields=fields,
        )

        return submission
