from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.prefer import Prefer, check_prefer
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.reply_to import ReplyTo


T = TypeVar("T", bound="UserTarget")


@_attrs_define
class UserTarget:
    """A user of the application.

    Attributes:
        prefer (Prefer): How a user is told.
        user (str): The application's id of the user.
        reply_to (None | ReplyTo | Unset): The thread.
        via (None | str | Unset): Through this installation; absent: the account that was linked last.
    """

    prefer: Prefer
    user: str
    reply_to: None | ReplyTo | Unset = UNSET
    via: None | str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        from ..models.reply_to import ReplyTo  # noqa: PLC0415

        prefer: str = self.prefer

        user = self.user

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
                "prefer": prefer,
                "user": user,
            }
        )
        if reply_to is not UNSET:
            field_dict["reply_to"] = reply_to
        if via is not UNSET:
            field_dict["via"] = via

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.reply_to import ReplyTo  # noqa: PLC0415

        d = dict(src_dict)
        prefer = check_prefer(d.pop("prefer"))

        user = d.pop("user")

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

        user_target = cls(
            prefer=prefer,
            user=user,
            reply_to=reply_to,
            via=via,
        )

        return user_target
