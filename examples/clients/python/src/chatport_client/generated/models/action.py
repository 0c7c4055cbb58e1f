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


T = TypeVar("T", bound="Action")


@_attrs_define
class Action:
    """Something that a reader can press.

    Attributes:
        allow (AllowUsers | Literal['anyone'] | Literal['linked']): Who may press an action.
        id (str): The application's name for it; comes back in `action.invoked`.
        label (str): The words on the button.
        style (Style): How an action looks.
        choices (list[Choice] | Unset): With choices it is a menu, without a button.
    """

    allow: AllowUsers | Literal["anyone"] | Literal["linked"]
    id: str
    label: str
    style: Style
    choices: list[Choice] | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        from ..models.allow_users import AllowUsers  # noqa: PLC0415

        allow: dict[str, Any] | Literal["anyone"] | Literal["linked"]
        if isinstance(self.allow, AllowUsers):
            allow = self.allow.to_dict()
        else:
            allow = self.allow

        id = self.id

        label = self.label

        style: str = self.style

        choices: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.choices, Unset):
            choices = []
            for choices_item_data in self.choices:
                choices_item = choices_item_data.to_dict()
                choices.append(choices_item)

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "allow": allow,
                "id": id,
                "label": label,
                "style": style,
            }
        )
        if choices is not UNSET:
            field_dict["choices"] = choices

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.allow_users import AllowUsers  # noqa: PLC0415
        from ..models.choice import Choice  # noqa: PLC0415

        d = dict(src_dict)

        def _parse_allow(data: object) -> AllowUsers | Literal["anyone"] | Literal["linked"]:
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

        allow = _parse_allow(d.pop("allow"))

        id = d.pop("id")

        label = d.pop("label")

        style = check_style(d.pop("style"))

        _choices = d.pop("choices", UNSET)
        choices: list[Choice] | Unset = UNSET
        if _choices is not UNSET:
            choices = []
            for choices_item_data in _choices:
                choices_item = Choice.from_dict(choices_item_data)

                choices.append(choices_item)

        action = cls(
            allow=allow,
            id=id,
            label=label,
            style=style,
            choices=choices,
        )

        return action
