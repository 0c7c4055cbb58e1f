from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

from ..models.event_kind import EventKind, check_event_kind
from ..types import UNSET, Unset

T = TypeVar("T", bound="PutSubscription")


@_attrs_define
class PutSubscription:
    """What an application asks for.

    Attributes:
        url (str): Where events are posted to.
        kinds (list[EventKind] | Unset): The wanted kinds; none means all.
        rotate_secret (bool | Unset): Make a new secret; the old one goes on signing for 24 hours. Default: False.
    """

    url: str
    kinds: list[EventKind] | Unset = UNSET
    rotate_secret: bool | Unset = False

    def to_dict(self) -> dict[str, Any]:
        url = self.url

        kinds: list[str] | Unset = UNSET
        if not isinstance(self.kinds, Unset):
            kinds = []
            for kinds_item_data in self.kinds:
                kinds_item: str = kinds_item_data
                kinds.append(kinds_item)

        rotate_secret = self.rotate_secret

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "url": url,
            }
        )
        if kinds is not UNSET:
            field_dict["kinds"] = kinds
        if rotate_secret is not UNSET:
            field_dict["rotate_secret"] = rotate_secret

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        url = d.pop("url")

        _kinds = d.pop("kinds", UNSET)
        kinds: list[EventKind] | Unset = UNSET
        if _kinds is not UNSET:
            kinds = []
            for kinds_item_data in _kinds:
                kinds_item = check_event_kind(kinds_item_data)

                kinds.append(kinds_item)

        rotate_secret = d.pop("rotate_secret", UNSET)

        put_subscription = cls(
            url=url,
            kinds=kinds,
            rotate_secret=rotate_secret,
        )

        return put_subscription
