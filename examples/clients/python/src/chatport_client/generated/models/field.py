from __future__ import annotations

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

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.field_kind_select import FieldKindSelect


T = TypeVar("T", bound="Field")


@_attrs_define
class Field:
    """One field of a form.

    Attributes:
        help_ (str): What to put in and where to find it. Default: ''.
        kind (FieldKindSelect | Literal['secret'] | Literal['text'] | Literal['toggle'] | Literal['url']): What sort of
            value a field takes.
        label (str): What it is called.
        name (str): The key under which it is submitted.
        required (bool): Whether it may be left empty.
        default (None | str | Unset): What stands in it at first.
    """

    kind: FieldKindSelect | Literal["secret"] | Literal["text"] | Literal["toggle"] | Literal["url"]
    label: str
    name: str
    required: bool
    help_: str = ""
    default: None | str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.field_kind_select import FieldKindSelect  # noqa: PLC0415

        help_ = self.help_

        kind: dict[str, Any] | Literal["secret"] | Literal["text"] | Literal["toggle"] | Literal["url"]
        if isinstance(self.kind, FieldKindSelect):
            kind = self.kind.to_dict()
        else:
            kind = self.kind

        label = self.label

        name = self.name

        required = self.required

        default: None | str | Unset
        if isinstance(self.default, Unset):
            default = UNSET
        else:
            default = self.default

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "help": help_,
                "kind": kind,
                "label": label,
                "name": name,
                "required": required,
            }
        )
        if default is not UNSET:
            field_dict["default"] = default

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.field_kind_select import FieldKindSelect  # noqa: PLC0415

        d = dict(src_dict)
        help_ = d.pop("help")

        def _parse_kind(
            data: object,
        ) -> FieldKindSelect | Literal["secret"] | Literal["text"] | Literal["toggle"] | Literal["url"]:
            componentsschemas_field_kind_type_0 = cast(Literal["text"], data)
            if componentsschemas_field_kind_type_0 != "text":
                raise ValueError(
                    f"/components/schemas/FieldKind_type_0 must match const 'text', got '{componentsschemas_field_kind_type_0}'"
                )
            return componentsschemas_field_kind_type_0
            componentsschemas_field_kind_type_1 = cast(Literal["secret"], data)
            if componentsschemas_field_kind_type_1 != "secret":
                raise ValueError(
                    f"/components/schemas/FieldKind_type_1 must match const 'secret', got '{componentsschemas_field_kind_type_1}'"
                )
            return componentsschemas_field_kind_type_1
            componentsschemas_field_kind_type_2 = cast(Literal["url"], data)
            if componentsschemas_field_kind_type_2 != "url":
                raise ValueError(
                    f"/components/schemas/FieldKind_type_2 must match const 'url', got '{componentsschemas_field_kind_type_2}'"
                )
            return componentsschemas_field_kind_type_2
            componentsschemas_field_kind_type_3 = cast(Literal["toggle"], data)
            if componentsschemas_field_kind_type_3 != "toggle":
                raise ValueError(
                    f"/components/schemas/FieldKind_type_3 must match const 'toggle', got '{componentsschemas_field_kind_type_3}'"
                )
            return componentsschemas_field_kind_type_3
            if not isinstance(data, dict):
                raise TypeError()
            componentsschemas_field_kind_field_kind_select = FieldKindSelect.from_dict(data)

            return componentsschemas_field_kind_field_kind_select

        kind = _parse_kind(d.pop("kind"))

        label = d.pop("label")

        name = d.pop("name")

        required = d.pop("required")

        def _parse_default(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        default = _parse_default(d.pop("default", UNSET))

        field = cls(
            help_=help_,
            kind=kind,
            label=label,
            name=name,
            required=required,
            default=default,
        )

        field.additional_properties = d
        return field

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
