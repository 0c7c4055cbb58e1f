from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.on_missing_root import OnMissingRoot, check_on_missing_root
from ..models.on_removed import OnRemoved, check_on_removed
from ..models.on_unknown import OnUnknown, check_on_unknown
from ..models.urgency import Urgency, check_urgency
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.channel_target import ChannelTarget
    from ..models.content import Content
    from ..models.default_target import DefaultTarget
    from ..models.fallback import Fallback
    from ..models.log_line import LogLine
    from ..models.user_target import UserTarget


T = TypeVar("T", bound="PutMessage")


@_attrs_define
class PutMessage:
    """What an application wants to be shown, and where.

    Attributes:
        content (Content): What a message says.
        final (bool): Nothing more is expected, e.g. resolved: this revision is always sent. Default: False.
        log (list[LogLine]): Lines for the thread under the message; each id is posted once.
        on_missing_root (OnMissingRoot): What to do when the message to reply to doesn't appear.
        on_removed (OnRemoved): What becomes of copies whose target is left out of a later revision.
        on_unknown (OnUnknown): What to do when an outcome can't be found out.
        revision (int): Grows with the content; milliseconds of the time at which it was read will do. A
            lower revision than the present one changes nothing.
        targets (list[ChannelTarget | DefaultTarget | UserTarget]): Where it is to be shown. A target that a later
            revision leaves out is handled as
            `on_removed` says.
        urgency (Urgency): How pressing a message is.
        expires_at (datetime.datetime | None | Unset): Not to be sent after this time: by default 24 hours (urgent: 1
            hour) after it was
            accepted, at most 7 days.
        fallback (Fallback | None | Unset): Where it is shown too if it isn't delivered in time.
        not_before (datetime.datetime | None | Unset): Not to be sent before this time.
    """

    content: Content
    log: list[LogLine]
    on_missing_root: OnMissingRoot
    on_removed: OnRemoved
    on_unknown: OnUnknown
    revision: int
    targets: list[ChannelTarget | DefaultTarget | UserTarget]
    urgency: Urgency
    final: bool = False
    expires_at: datetime.datetime | None | Unset = UNSET
    fallback: Fallback | None | Unset = UNSET
    not_before: datetime.datetime | None | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        from ..models.channel_target import ChannelTarget  # noqa: PLC0415
        from ..models.default_target import DefaultTarget  # noqa: PLC0415
        from ..models.fallback import Fallback  # noqa: PLC0415

        content = self.content.to_dict()

        final = self.final

        log = []
        for log_item_data in self.log:
            log_item = log_item_data.to_dict()
            log.append(log_item)

        on_missing_root: str = self.on_missing_root

        on_removed: str = self.on_removed

        on_unknown: str = self.on_unknown

        revision = self.revision

        targets = []
        for targets_item_data in self.targets:
            targets_item: dict[str, Any]
            if isinstance(targets_item_data, ChannelTarget):
                targets_item = targets_item_data.to_dict()
            elif isinstance(targets_item_data, DefaultTarget):
                targets_item = targets_item_data.to_dict()
            else:
                targets_item = targets_item_data.to_dict()

            targets.append(targets_item)

        urgency: str = self.urgency

        expires_at: None | str | Unset
        if isinstance(self.expires_at, Unset):
            expires_at = UNSET
        elif isinstance(self.expires_at, datetime.datetime):
            expires_at = self.expires_at.isoformat()
        else:
            expires_at = self.expires_at

        fallback: dict[str, Any] | None | Unset
        if isinstance(self.fallback, Unset):
            fallback = UNSET
        elif isinstance(self.fallback, Fallback):
            fallback = self.fallback.to_dict()
        else:
            fallback = self.fallback

        not_before: None | str | Unset
        if isinstance(self.not_before, Unset):
            not_before = UNSET
        elif isinstance(self.not_before, datetime.datetime):
            not_before = self.not_before.isoformat()
        else:
            not_before = self.not_before

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "content": content,
                "final": final,
                "log": log,
                "on_missing_root": on_missing_root,
                "on_removed": on_removed,
                "on_unknown": on_unknown,
                "revision": revision,
                "targets": targets,
                "urgency": urgency,
            }
        )
        if expires_at is not UNSET:
            field_dict["expires_at"] = expires_at
        if fallback is not UNSET:
            field_dict["fallback"] = fallback
        if not_before is not UNSET:
            field_dict["not_before"] = not_before

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.channel_target import ChannelTarget  # noqa: PLC0415
        from ..models.content import Content  # noqa: PLC0415
        from ..models.default_target import DefaultTarget  # noqa: PLC0415
        from ..models.fallback import Fallback  # noqa: PLC0415
        from ..models.log_line import LogLine  # noqa: PLC0415
        from ..models.user_target import UserTarget  # noqa: PLC0415

        d = dict(src_dict)
        content = Content.from_dict(d.pop("content"))

        final = d.pop("final")

        log = []
        _log = d.pop("log")
        for log_item_data in _log:
            log_item = LogLine.from_dict(log_item_data)

            log.append(log_item)

        on_missing_root = check_on_missing_root(d.pop("on_missing_root"))

        on_removed = check_on_removed(d.pop("on_removed"))

        on_unknown = check_on_unknown(d.pop("on_unknown"))

        revision = d.pop("revision")

        targets = []
        _targets = d.pop("targets")
        for targets_item_data in _targets:

            def _parse_targets_item(data: object) -> ChannelTarget | DefaultTarget | UserTarget:
                try:
                    if not isinstance(data, dict):
                        raise TypeError()
                    componentsschemas_target_type_0 = ChannelTarget.from_dict(data)

                    return componentsschemas_target_type_0
                except (TypeError, ValueError, AttributeError, KeyError):
                    pass
                try:
                    if not isinstance(data, dict):
                        raise TypeError()
                    componentsschemas_target_type_1 = DefaultTarget.from_dict(data)

                    return componentsschemas_target_type_1
                except (TypeError, ValueError, AttributeError, KeyError):
                    pass
                if not isinstance(data, dict):
                    raise TypeError()
                componentsschemas_target_type_2 = UserTarget.from_dict(data)

                return componentsschemas_target_type_2

            targets_item = _parse_targets_item(targets_item_data)

            targets.append(targets_item)

        urgency = check_urgency(d.pop("urgency"))

        def _parse_expires_at(data: object) -> datetime.datetime | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                expires_at_type_0 = datetime.datetime.fromisoformat(data)

                return expires_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None | Unset, data)

        expires_at = _parse_expires_at(d.pop("expires_at", UNSET))

        def _parse_fallback(data: object) -> Fallback | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                fallback_type_0 = Fallback.from_dict(data)

                return fallback_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(Fallback | None | Unset, data)

        fallback = _parse_fallback(d.pop("fallback", UNSET))

        def _parse_not_before(data: object) -> datetime.datetime | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                not_before_type_0 = datetime.datetime.fromisoformat(data)

                return not_before_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None | Unset, data)

        not_before = _parse_not_before(d.pop("not_before", UNSET))

        put_message = cls(
            content=content,
            final=final,
            log=log,
            on_missing_root=on_missing_root,
            on_removed=on_removed,
            on_unknown=on_unknown,
            revision=revision,
            targets=targets,
            urgency=urgency,
            expires_at=expires_at,
            fallback=fallback,
            not_before=not_before,
        )

        return put_message
