from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define

if TYPE_CHECKING:
    from ..models.conversation_input import ConversationInput


T = TypeVar("T", bound="NewChannel")


@_attrs_define
class NewChannel:
    """A conversation whose address is known already.

    Attributes:
        conversation (ConversationInput): A place on a platform where people talk.
        installation (str): One backend set up for one organization.
    """

    conversation: ConversationInput
    installation: str

    def to_dict(self) -> dict[str, Any]:
        conversation = self.conversation.to_dict()

        installation = self.installation

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "conversation": conversation,
                "installation": installation,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.conversation_input import ConversationInput  # noqa: PLC0415

        d = dict(src_dict)
        conversation = ConversationInput.from_dict(d.pop("conversation"))

        installation = d.pop("installation")

        new_channel = cls(
            conversation=conversation,
            installation=installation,
        )

        return new_channel
