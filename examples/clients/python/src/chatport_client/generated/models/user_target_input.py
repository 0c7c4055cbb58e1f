from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.prefer import Prefer, check_prefer
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.reply_to import ReplyTo


T = TypeVar("T", bound="UserTargetInput")


@_attrs_define
class UserTargetInput:
    """A user of the application.

    Attributes:
        user (str): The application's id of the user.
        prefer (Prefer | Unset): How a user is told.
        reply_to (None | ReplyTo | Unset): The thread.
        via (None | str | Unset): Through this installation; absent: the account that was linked last.
    """

    user: str
    prefer: Prefer | Unset = UNSET
    reply_to: None | ReplyTo | Unset = UNSET
    via: None | str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        from ..models.reply_to import ReplyTo  # noqa: PLC0415

        user = self.user

        prefer: str | Unset = UNSET
        if not isinstance(self.prefer, Unset):
            prefer = self.prefer

        reply_to: dict[str, Any] | None | Unset
        if isinstance(self.reply_to, Unset):
            reply_to = UNSET
        elif isinstance(self.reply_to, ReplyTo):
            reply_to = self.reply_to.to_dict()
        else:
            reply_to = self.reply_to

        via: None | str | Unset
        if isinstance(self.via, Unset):
            via = UNSET
        else:
            via = self.via

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "user": user,
            }
        )
        if prefer is not UNSET:
            field_dict["prefer"] = prefer
        if reply_to is not UNSET:
            field_dict["reply_to"] = reply_to
        if via is not UNSET:
            field_dict["via"] = via

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.reply_to import ReplyTo  # noqa: PLC0415

        d = dict(src_dict)
        user = d.pop("user")

        _prefer = d.pop("prefer", UNSET)
        prefer: Prefer | Unset
        if isinstance(_prefer, Unset):
            prefer = UNSET
        else:
            prefer = check_prefer(_prefer)

        def _parse_reply_to(data: object) -> None | ReplyTo | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                reply_to_type_0 = ReplyTo.from_dict(data)

                return reply_to_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | ReplyTo | Unset, data)

        reply_to = _parse_reply_to(d.pop("reply_to", UNSET))

        def _parse_via(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        via = _parse_via(d.pop("via", UNSET))

        user_target_input = cls(
            user=user,
            prefer=prefer,
            reply_to=reply_to,
            via=via,
        )

        return user_target_input
