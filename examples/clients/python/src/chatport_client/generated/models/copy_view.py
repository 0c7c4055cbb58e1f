from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.copy_state import CopyState, check_copy_state
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.note import Note


T = TypeVar("T", bound="CopyView")


@_attrs_define
class CopyView:
    """One message at one address.

    Attributes:
        attempts (int): Attempts since it was last delivered.
        expires_at (datetime.datetime): Not tried after this time.
        id (str): A message at an address.
        posts (list[str]): The platform's ids of its posts.
        revision (int): The revision that it should show.
        shown_revision (int | None): The revision that it shows.
        state (CopyState): How a copy stands.
        target (Any): The target as it was asked for.
        updated_at (datetime.datetime): When this last changed.
        code (None | str | Unset): Why it isn't delivered, from the closed list of failure codes.
        detail (None | str | Unset): The same in words.
        fallback (bool | Unset): Whether it is only sent if the others don't arrive in time.
        installation (None | str | Unset): The installation.
        log_id (None | str | Unset): The line of the log, where it is one.
        next_attempt_at (datetime.datetime | None | Unset): When it is tried next.
        notes (list[Note] | Unset): What had to be left out or changed for the platform.
        permalink (None | str | Unset): Where people can look at it.
    """

    attempts: int
    expires_at: datetime.datetime
    id: str
    posts: list[str]
    revision: int
    shown_revision: int | None
    state: CopyState
    target: Any
    updated_at: datetime.datetime
    code: None | str | Unset = UNSET
    detail: None | str | Unset = UNSET
    fallback: bool | Unset = UNSET
    installation: None | str | Unset = UNSET
    log_id: None | str | Unset = UNSET
    next_attempt_at: datetime.datetime | None | Unset = UNSET
    notes: list[Note] | Unset = UNSET
    permalink: None | str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        attempts = self.attempts

        expires_at = self.expires_at.isoformat()

        id = self.id

        posts = self.posts

        revision = self.revision

        shown_revision: int | None
        shown_revision = self.shown_revision

        state: str = self.state

        target = self.target

        updated_at = self.updated_at.isoformat()

        code: None | str | Unset
        if isinstance(self.code, Unset):
            code = UNSET
        else:
            code = self.code

        detail: None | str | Unset
        if isinstance(self.detail, Unset):
            detail = UNSET
        else:
            detail = self.detail

        fallback = self.fallback

        installation: None | str | Unset
        if isinstance(self.installation, Unset):
            installation = UNSET
        else:
            installation = self.installation

        log_id: None | str | Unset
        if isinstance(self.log_id, Unset):
            log_id = UNSET
        else:
            log_id = self.log_id

        next_attempt_at: None | str | Unset
        if isinstance(self.next_attempt_at, Unset):
            next_attempt_at = UNSET
        elif isinstance(self.next_attempt_at, datetime.datetime):
            next_attempt_at = self.next_attempt_at.isoformat()
        else:
            next_attempt_at = self.next_attempt_at

        notes: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.notes, Unset):
            notes = []
            for notes_item_data in self.notes:
                notes_item = notes_item_data.to_dict()
                notes.append(notes_item)

        permalink: None | str | Unset
        if isinstance(self.permalink, Unset):
            permalink = UNSET
        else:
            permalink = self.permalink

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "attempts": attempts,
                "expires_at": expires_at,
                "id": id,
                "posts": posts,
                "revision": revision,
                "shown_revision": shown_revision,
                "state": state,
                "target": target,
                "updated_at": updated_at,
            }
        )
        if code is not UNSET:
            field_dict["code"] = code
        if detail is not UNSET:
            field_dict["detail"] = detail
        if fallback is not UNSET:
            field_dict["fallback"] = fallback
        if installation is not UNSET:
            field_dict["installation"] = installation
        if log_id is not UNSET:
            field_dict["log_id"] = log_id
        if next_attempt_at is not UNSET:
            field_dict["next_attempt_at"] = next_attempt_at
        if notes is not UNSET:
            field_dict["notes"] = notes
        if permalink is not UNSET:
            field_dict["permalink"] = permalink

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.note import Note  # noqa: PLC0415

        d = dict(src_dict)
        attempts = d.pop("attempts")

        expires_at = datetime.datetime.fromisoformat(d.pop("expires_at"))

        id = d.pop("id")

        posts = cast(list[str], d.pop("posts"))

        revision = d.pop("revision")

        def _parse_shown_revision(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        shown_revision = _parse_shown_revision(d.pop("shown_revision"))

        state = check_copy_state(d.pop("state"))

        target = d.pop("target")

        updated_at = datetime.datetime.fromisoformat(d.pop("updated_at"))

        def _parse_code(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        code = _parse_code(d.pop("code", UNSET))

        def _parse_detail(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        detail = _parse_detail(d.pop("detail", UNSET))

        fallback = d.pop("fallback", UNSET)

        def _parse_installation(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        installation = _parse_installation(d.pop("installation", UNSET))

        def _parse_log_id(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        log_id = _parse_log_id(d.pop("log_id", UNSET))

        def _parse_next_attempt_at(data: object) -> datetime.datetime | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                next_attempt_at_type_0 = datetime.datetime.fromisoformat(data)

                return next_attempt_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None | Unset, data)

        next_attempt_at = _parse_next_attempt_at(d.pop("next_attempt_at", UNSET))

        _notes = d.pop("notes", UNSET)
        notes: list[Note] | Unset = UNSET
        if _notes is not UNSET:
            notes = []
            for notes_item_data in _notes:
                notes_item = Note.from_dict(notes_item_data)

                notes.append(notes_item)

        def _parse_permalink(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        permalink = _parse_permalink(d.pop("permalink", UNSET))

        copy_view = cls(
            attempts=attempts,
            expires_at=expires_at,
            id=id,
            posts=posts,
            revision=revision,
            shown_revision=shown_revision,
            state=state,
            target=target,
            updated_at=updated_at,
            code=code,
            detail=detail,
            fallback=fallback,
            installation=installation,
            log_id=log_id,
            next_attempt_at=next_attempt_at,
            notes=notes,
            permalink=permalink,
        )

        copy_view.additional_properties = d
        return copy_view

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
