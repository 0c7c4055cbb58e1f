from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.purpose import Purpose, check_purpose

T = TypeVar("T", bound="Parts")


@_attrs_define
class Parts:
    """What a backend can do.

    Attributes:
        commands (bool): It makes an application's own commands known.
        delete (bool): It takes messages away.
        deliver (bool): It delivers messages.
        direct (bool): It writes to people directly.
        directory (bool): It finds people and channels, for pickers.
        edit (bool): It changes messages in place.
        find (bool): It finds out whether a post arrived whose answer was lost.
        install (bool): It can be set up.
        listen (bool): It asks the platform what has happened where that can't call.
        receive (bool): People's presses, commands and replies come back.
        verification (list[Purpose]): What it links by codes.
    """

    commands: bool
    delete: bool
    deliver: bool
    direct: bool
    directory: bool
    edit: bool
    find: bool
    install: bool
    listen: bool
    receive: bool
    verification: list[Purpose]
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        commands = self.commands

        delete = self.delete

        deliver = self.deliver

        direct = self.direct

        directory = self.directory

        edit = self.edit

        find = self.find

        install = self.install

        listen = self.listen

        receive = self.receive

        verification = []
        for verification_item_data in self.verification:
            verification_item: str = verification_item_data
            verification.append(verification_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "commands": commands,
                "delete": delete,
                "deliver": deliver,
                "direct": direct,
                "directory": directory,
                "edit": edit,
                "find": find,
                "install": install,
                "listen": listen,
                "receive": receive,
                "verification": verification,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        commands = d.pop("commands")

        delete = d.pop("delete")

        deliver = d.pop("deliver")

        direct = d.pop("direct")

        directory = d.pop("directory")

        edit = d.pop("edit")

        find = d.pop("find")

        install = d.pop("install")

        listen = d.pop("listen")

        receive = d.pop("receive")

        verification = []
        _verification = d.pop("verification")
        for verification_item_data in _verification:
            verification_item = check_purpose(verification_item_data)

            verification.append(verification_item)

        parts = cls(
            commands=commands,
            delete=delete,
            deliver=deliver,
            direct=direct,
            directory=directory,
            edit=edit,
            find=find,
            install=install,
            listen=listen,
            receive=receive,
            verification=verification,
        )

        parts.additional_properties = d
        return parts

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
