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

if TYPE_CHECKING:
    from ..models.linked_account import LinkedAccount


T = TypeVar("T", bound="PersonDirectoryEntry")


@_attrs_define
class PersonDirectoryEntry:
    """A person.

    Attributes:
        account (LinkedAccount): An account on a platform, as applications read it.
        kind (Literal['person']):
    """

    account: LinkedAccount
    kind: Literal["person"]
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        account = self.account.to_dict()

        kind = self.kind

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "account": account,
                "kind": kind,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.linked_account import LinkedAccount  # noqa: PLC0415

        d = dict(src_dict)
        account = LinkedAccount.from_dict(d.pop("account"))

        kind = cast(Literal["person"], d.pop("kind"))
        if kind != "person":
            raise ValueError(f"kind must match const 'person', got '{kind}'")

        person_directory_entry = cls(
            account=account,
            kind=kind,
        )

        person_directory_entry.additional_properties = d
        return person_directory_entry

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
