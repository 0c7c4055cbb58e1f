from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

from ..models.conversation_kind import ConversationKind, check_conversation_kind
from ..types import UNSET, Unset

T = TypeVar("T", bound="ConversationInput")


@_attrs_define
class ConversationInput:
    """A place on a platform where people talk.

    Attributes:
        address (Any): Where to post: owned by the backend, opaque to the host, stored whole.

            Put a version into it (`{"v":1,…}`) so that a later release can read what an earlier one
            stored. Whatever is needed to post belongs here; the host looks nothing up.

            ```
            use chatport_sdk::prelude::*;
            use serde::{Deserialize, Serialize};

            #[derive(Debug, PartialEq, Serialize, Deserialize)]
            struct Board {
                v: u8,
                board: String,
            }

            let town = Board { v: 1, board: "town".into() };
            let address = Address::of(&town)?;
            assert_eq!(address.read::<Board>()?, town);
            # Ok::<(), serde_json::Error>(())
            ```
        id (str): The backend's key for it, unique within an installation and stable over time.
        kind (ConversationKind): What sort of place a conversation is.
        display_name (str | Unset): The name that people read. Default: ''.
        name (str | Unset): The short name, e.g. `incidents`; may be empty. Default: ''.
        team (str | Unset): The team or workspace that it belongs to; may be empty. Default: ''.
    """

    address: Any
    id: str
    kind: ConversationKind
    display_name: str | Unset = ""
    name: str | Unset = ""
    team: str | Unset = ""

    def to_dict(self) -> dict[str, Any]:
        address = self.address

        id = self.id

        kind: str = self.kind

        display_name = self.display_name

        name = self.name

        team = self.team

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "address": address,
                "id": id,
                "kind": kind,
            }
        )
        if display_name is not UNSET:
            field_dict["display_name"] = display_name
        if name is not UNSET:
            field_dict["name"] = name
        if team is not UNSET:
            field_dict["team"] = team

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        address = d.pop("address")

        id = d.pop("id")

        kind = check_conversation_kind(d.pop("kind"))

        display_name = d.pop("display_name", UNSET)

        name = d.pop("name", UNSET)

        team = d.pop("team", UNSET)

        conversation_input = cls(
            address=address,
            id=id,
            kind=kind,
            display_name=display_name,
            name=name,
            team=team,
        )

        return conversation_input
