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

from ..models.style import Style, check_style
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.allow_users import AllowUsers
    from ..models.choice import Choice


T = TypeVar("T", bound="ActionInput")


@_attrs_define
class ActionInput:
    """Something that a reader can press.

    Attributes:
        id (str): The application's name for it; comes back in `action.invoked`.
        label (str): The words on the button.
        allow (AllowUsers | Literal['anyone'] | Literal['linked'] | Unset): Who may press an action.
        choices (list[Choice] | Unset): With choices it is a menu, without a button.
        style (Style | Unset): How an action looks.
    """

    id: str
    label: str
    allow: AllowUsers | Literal["anyone"] | Literal["linked"] | Unset = UNSET
    choices: list[Choice] | Unset = UNSET
    style: Style | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        from ..models.allow_users import AllowUsers  # noqa: PLC0415

        id = self.id

        label = self.label

        allow: dict[str, Any] | Literal["anyone"] | Literal["linked"] | Unset
        if isinstance(self.allow, Unset):
            allow = UNSET
        elif isinstance(self.allow, AllowUsers):
            allow = self.allow.to_dict()
        else:
            allow = self.allow

        choices: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.choices, Unset):
            choices = []
            for choices_item_data in self.choices:
                choices_item = choices_item_data.to_dict()
                choices.append(choices_item)

        style: str | Unset = UNSET
        if not isinstance(self.style, Unset):
            style = self.style

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "id": id,
                "label": label,
            }
        )
        if allow is not UNSET:
            field_dict["allow"] = allow
        if choices is not UNSET:
            field_dict["choices"] = choices
        if style is not UNSET:
            field_dict["style"] = style

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.allow_users import AllowUsers  # noqa: PLC0415
        from ..models.choice import Choice  # noqa: PLC0415

        d = dict(src_dict)
        id = d.pop("id")

        label = d.pop("label")

        def _parse_allow(data: object) -> AllowUsers | Literal["anyone"] | Literal["linked"] | Unset:
            if isinstance(data, Unset):
                return data
            componentsschemas_allow_type_0 = cast(Literal["linked"], data)
            if componentsschemas_allow_type_0 != "linked":
                raise ValueError(
                    f"/components/schemas/Allow_type_0 must match const 'linked', got '{componentsschemas_allow_type_0}'"
                )
            return componentsschemas_allow_type_0
            componentsschemas_allow_type_1 = cast(Literal["anyone"], data)
            if componentsschemas_allow_type_1 != "anyone":
                raise ValueError(
                    f"/components/schemas/Allow_type_1 must match const 'anyone', got '{componentsschemas_allow_type_1}'"
                )
            return componentsschemas_allow_type_1
            if not isinstance(data, dict):
                raise TypeError()
            componentsschemas_allow_allow_users = AllowUsers.from_dict(data)

            return componentsschemas_allow_allow_users

        allow = _parse_allow(d.pop("allow", UNSET))

        _choices = d.pop("choices", UNSET)
        choices: list[Choice] | Unset = UNSET
        if _choices is not UNSET:
            choices = []
            for choices_item_data in _choices:
                choices_item = Choice.from_dict(choices_item_data)

                choices.append(choices_item)

        _style = d.pop("style", UNSET)
        style: Style | Unset
        if isinstance(_style, Unset):
            style = UNSET
        else:
            style = check_style(_style)

        action_input = cls(
            id=id,
            label=label,
            allow=allow,
            choices=choices,
            style=style,
        )

        return action_input
