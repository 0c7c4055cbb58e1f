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
    from ..models.step_value import StepValue


T = TypeVar("T", bound="SendTextStep")


@_attrs_define
class SendTextStep:
    """Send a text.

    Attributes:
        expires_at (datetime.datetime | None): Until when it can be done.
        id (str): Stable name, unique within the steps shown together.
        kind (Literal['send_text']):
        optional (bool): Whether setup goes on without it.
        send (StepValue): A value in a step.
        text (str): CommonMark: what to do and why.
        title (str): A few words.
        to (str): To whom or where, in words.
    """

    expires_at: datetime.datetime | None
    id: str
    kind: Literal["send_text"]
    optional: bool
    send: StepValue
    text: str
    title: str
    to: str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        expires_at: None | str
        if isinstance(self.expires_at, datetime.datetime):
            expires_at = self.expires_at.isoformat()
        else:
            expires_at = self.expires_at

        id = self.id

        kind = self.kind

        optional = self.optional

        send = self.send.to_dict()

        text = self.text

        title = self.title

        to = self.to

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "expires_at": expires_at,
                "id": id,
                "kind": kind,
                "optional": optional,
                "send": send,
                "text": text,
                "title": title,
                "to": to,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.step_value import StepValue  # noqa: PLC0415

        d = dict(src_dict)

        def _parse_expires_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                expires_at_type_0 = datetime.datetime.fromisoformat(data)

                return expires_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        expires_at = _parse_expires_at(d.pop("expires_at"))

        id = d.pop("id")

        kind = cast(Literal["send_text"], d.pop("kind"))
        if kind != "send_text":
            raise ValueError(f"kind must match const 'send_text', got '{kind}'")

        optional = d.pop("optional")

        send = StepValue.from_dict(d.pop("send"))

        text = d.pop("text")

        title = d.pop("title")

        to = d.pop("to")

        send_text_step = cls(
            expires_at=expires_at,
            id=id,
            kind=kind,
            optional=optional,
            send=send,
            text=text,
            title=title,
            to=to,
        )

        send_text_step.additional_properties = d
        return send_text_step

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
