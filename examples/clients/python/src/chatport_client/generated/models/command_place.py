from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.conversation_kind import ConversationKind, check_conversation_kind

T = TypeVar("T", bound="CommandPlace")


@_attrs_define
class CommandPlace:
    """Where a command was typed.

    Attributes:
        kind (ConversationKind): What sort of place a conversation is.
        name (str): Its short name; may be empty.
        team (str): Its team; may be empty.
    """

    kind: ConversationKind
    name: str
    team: str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        kind: str = self.kind

        name = self.name

        team = self.team

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "kind": kind,
                "name": name,
                "team": team,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        kind = check_conversation_kind(d.pop("kind"))

        name = d.pop("name")

        team = d.pop("team")

        command_place = cls(
            kind=kind,
            name=name,
            team=team,
        )

        command_place.additional_properties = d
        return command_place

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
