from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define

if TYPE_CHECKING:
    from ..models.declared_command_input import DeclaredCommandInput


T = TypeVar("T", bound="Declaration")


@_attrs_define
class Declaration:
    """The commands that people can use from now on.

    Attributes:
        commands (list[DeclaredCommandInput]): At most 50, each name once; an empty list takes all away.
    """

    commands: list[DeclaredCommandInput]

    def to_dict(self) -> dict[str, Any]:
        commands = []
        for commands_item_data in self.commands:
            commands_item = commands_item_data.to_dict()
            commands.append(commands_item)

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "commands": commands,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.declared_command_input import DeclaredCommandInput  # noqa: PLC0415

        d = dict(src_dict)
        commands = []
        _commands = d.pop("commands")
        for commands_item_data in _commands:
            commands_item = DeclaredCommandInput.from_dict(commands_item_data)

            commands.append(commands_item)

        declaration = cls(
            commands=commands,
        )

        return declaration
