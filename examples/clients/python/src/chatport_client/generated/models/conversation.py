from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

from ..models.conversation_kind import ConversationKind, check_conversation_kind

T = TypeVar("T", bound="Conversation")


@_attrs_define
class Conversation:
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
        display_name (str): The name that people read. Default: ''.
        id (str): The backend's key for it, unique within an installation and stable over time.
        kind (ConversationKind): What sort of place a conversation is.
        name (str): The short name, e.g. `incidents`; may be empty. Default: ''.
        team (str): The team or workspace that it belongs to; may be empty. Default: ''.
    """

    address: Any
    id: str
    kind: ConversationKind
    display_name: str = ""
    name: str = ""
    team: str = ""

    def to_dict(self) -> dict[str, Any]:
        address = self.address

        display_name = self.display_name

        id = self.id

        kind: str = self.kind

        name = self.name

        team = self.team

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "address": address,
                "display_name": display_name,
                "id": id,
                "kind": kind,
                "name": name,
                "team": team,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        address = d.pop("address")

        display_name = d.pop("display_name")

        id = d.pop("id")

        kind = check_conversation_kind(d.pop("kind"))

        name = d.pop("name")

        team = d.pop("team")

        conversation = cls(
            address=address,
            display_name=display_name,
            id=id,
            kind=kind,
            name=name,
            team=team,
        )

        return conversation
