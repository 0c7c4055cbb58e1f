from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.account_link import AccountLink


T = TypeVar("T", bound="LinkEvent")


@_attrs_define
class LinkEvent:
    """The `data` of `account.linked`, `account.changed` and `account.unlinked`.

    Attributes:
        link (AccountLink): A link, as applications read it.
    """

    link: AccountLink
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        link = self.link.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "link": link,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.account_link import AccountLink  # noqa: PLC0415

        d = dict(src_dict)
        link = AccountLink.from_dict(d.pop("link"))

        link_event = cls(
            link=link,
        )

        link_event.additional_properties = d
        return link_event

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
