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

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.allow_users import AllowUsers


T = TypeVar("T", bound="DeclaredCommand")


@_attrs_define
class DeclaredCommand:
    """A command as the application declares it.

    Attributes:
        allow (AllowUsers | Literal['anyone'] | Literal['linked']): Who may press an action.
        description (str): What it does: one line of at most 100 characters.
        name (str): What is typed after the slash: `[a-z][a-z0-9_-]{0,31}`.
        hint (str | Unset): What may follow the name, e.g. `[team]`; at most 100 characters, shown while typing.
    """

    allow: AllowUsers | Literal["anyone"] | Literal["linked"]
    description: str
    name: str
    hint: str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        from ..models.allow_users import AllowUsers  # noqa: PLC0415

        allow: dict[str, Any] | Literal["anyone"] | Literal["linked"]
        if isinstance(self.allow, AllowUsers):
            allow = self.allow.to_dict()
        else:
            allow = self.allow

        description = self.description

        name = self.name

        hint = self.hint

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "allow": allow,
                "description": description,
                "name": name,
            }
        )
        if hint is not UNSET:
            field_dict["hint"] = hint

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.allow_users import AllowUsers  # noqa: PLC0415

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

        description = d.pop("description")

        name = d.pop("name")

        hint = d.pop("hint", UNSET)

        declared_command = cls(
            allow=allow,
            description=description,
            name=name,
            hint=hint,
        )

        return declared_command
