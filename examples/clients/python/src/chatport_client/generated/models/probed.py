from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="Probed")


@_attrs_define
class Probed:
    """What a probe found.

    Attributes:
        at (datetime.datetime): When.
        can_post (bool): Whether it can post.
        can_receive (bool): Whether what people do there reaches the host.
        missing (list[str]): What is missing, in words.
        credential_expires_at (datetime.datetime | None | Unset): When a credential is known to run out.
        cure (None | str | Unset): What to do about it.
        identity (None | str | Unset): Who the bot is, if the platform knows it.
    """

    at: datetime.datetime
    can_post: bool
    can_receive: bool
    missing: list[str]
    credential_expires_at: datetime.datetime | None | Unset = UNSET
    cure: None | str | Unset = UNSET
    identity: None | str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        at = self.at.isoformat()

        can_post = self.can_post

        can_receive = self.can_receive

        missing = self.missing

        credential_expires_at: None | str | Unset
        if isinstance(self.credential_expires_at, Unset):
            credential_expires_at = UNSET
        elif isinstance(self.credential_expires_at, datetime.datetime):
            credential_expires_at = self.credential_expires_at.isoformat()
        else:
            credential_expires_at = self.credential_expires_at

        cure: None | str | Unset
        if isinstance(self.cure, Unset):
            cure = UNSET
        else:
            cure = self.cure

        identity: None | str | Unset
        if isinstance(self.identity, Unset):
            identity = UNSET
        else:
            identity = self.identity

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "at": at,
                "can_post": can_post,
                "can_receive": can_receive,
                "missing": missing,
            }
        )
        if credential_expires_at is not UNSET:
            field_dict["credential_expires_at"] = credential_expires_at
        if cure is not UNSET:
            field_dict["cure"] = cure
        if identity is not UNSET:
            field_dict["identity"] = identity

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        at = datetime.datetime.fromisoformat(d.pop("at"))

        can_post = d.pop("can_post")

        can_receive = d.pop("can_receive")

        missing = cast(list[str], d.pop("missing"))

        def _parse_credential_expires_at(data: object) -> datetime.datetime | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                credential_expires_at_type_0 = datetime.datetime.fromisoformat(data)

                return credential_expires_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None | Unset, data)

        credential_expires_at = _parse_credential_expires_at(d.pop("credential_expires_at", UNSET))

        def _parse_cure(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        cure = _parse_cure(d.pop("cure", UNSET))

        def _parse_identity(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        identity = _parse_identity(d.pop("identity", UNSET))

        probed = cls(
            at=at,
            can_post=can_post,
            can_receive=can_receive,
            missing=missing,
            credential_expires_at=credential_expires_at,
            cure=cure,
            identity=identity,
        )

        probed.additional_properties = d
        return probed

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
