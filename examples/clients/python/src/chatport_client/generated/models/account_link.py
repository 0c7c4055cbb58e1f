from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.linked_account import LinkedAccount


T = TypeVar("T", bound="AccountLink")


@_attrs_define
class AccountLink:
    """A link, as applications read it.

    Attributes:
        account (LinkedAccount): An account on a platform, as applications read it.
        id (str): A user of the application ↔ an account on a platform.
        installation (str): One backend set up for one organization.
        linked_at (datetime.datetime): Since when.
        updated_at (datetime.datetime): When it was changed last.
        user (str): The application's id of the user.
        unlinked_at (datetime.datetime | None | Unset): When it ended; present on tombstones alone.
    """

    account: LinkedAccount
    id: str
    installation: str
    linked_at: datetime.datetime
    updated_at: datetime.datetime
    user: str
    unlinked_at: datetime.datetime | None | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        account = self.account.to_dict()

        id = self.id

        installation = self.installation

        linked_at = self.linked_at.isoformat()

        updated_at = self.updated_at.isoformat()

        user = self.user

        unlinked_at: None | str | Unset
        if isinstance(self.unlinked_at, Unset):
            unlinked_at = UNSET
        elif isinstance(self.unlinked_at, datetime.datetime):
            unlinked_at = self.unlinked_at.isoformat()
        else:
            unlinked_at = self.unlinked_at

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "account": account,
                "id": id,
                "installation": installation,
                "linked_at": linked_at,
                "updated_at": updated_at,
                "user": user,
            }
        )
        if unlinked_at is not UNSET:
            field_dict["unlinked_at"] = unlinked_at

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.linked_account import LinkedAccount  # noqa: PLC0415

        d = dict(src_dict)
        account = LinkedAccount.from_dict(d.pop("account"))

        id = d.pop("id")

        installation = d.pop("installation")

        linked_at = datetime.datetime.fromisoformat(d.pop("linked_at"))

        updated_at = datetime.datetime.fromisoformat(d.pop("updated_at"))

        user = d.pop("user")

        def _parse_unlinked_at(data: object) -> datetime.datetime | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                unlinked_at_type_0 = datetime.datetime.fromisoformat(data)

                return unlinked_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None | Unset, data)

        unlinked_at = _parse_unlinked_at(d.pop("unlinked_at", UNSET))

        account_link = cls(
            account=account,
            id=id,
            installation=installation,
            linked_at=linked_at,
            updated_at=updated_at,
            user=user,
            unlinked_at=unlinked_at,
        )

        account_link.additional_properties = d
        return account_link

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
