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
    from ..models.content_input import ContentInput
    from ..models.default_target import DefaultTarget
    from ..models.fallback_input import FallbackInput
    from ..models.log_line import LogLine
    from ..models.user_target_input import UserTargetInput


T = TypeVar("T", bound="PutMessageInput")


@_attrs_define
class PutMessageInput:
    """What an application wants to be shown, and where.

    Attributes:
        content (ContentInput): What a message says.
        revision (int): Grows with the content; milliseconds of the time at which it was read will do. A
            lower revision than the present one changes nothing.
        targets (list[ChannelTarget | DefaultTarget | UserTargetInput]): Where it is to be shown. A target that a later
            revision leaves out is handled as
            `on_removed` says.
        expires_at (datetime.datetime | None | Unset): Not to be sent after this time: by default 24 hours (urgent: 1
            hour) after it was
            accepted, at most 7 days.
        fallback (FallbackInput | None | Unset): Where it is shown too if it isn't delivered in time.
        final (bool | Unset): Nothing more is expected, e.g. resolved: this revision is always sent. Default: False.
        log (list[LogLine] | Unset): Lines for the thread under the message; each id is posted once.
        not_before (datetime.datetime | None | Unset): Not to be sent before this time.
        on_missing_root (OnMissingRoot | Unset): What to do when the message to reply to doesn't appear.
        on_removed (OnRemoved | Unset): What becomes of copies whose target is left out of a later revision.
        on_unknown (OnUnknown | Unset): What to do when an outcome can't be found out.
        urgency (Urgency | Unset): How pressing a message is.
    """

    content: ContentInput
    revision: int
    targets: list[ChannelTarget | DefaultTarget | UserTargetInput]
    expires_at: datetime.datetime | None | Unset = UNSET
    fallback: FallbackInput | None | Unset = UNSET
    final: bool | Unset = False
    log: list[LogLine] | Unset = UNSET
    not_before: datetime.datetime | None | Unset = UNSET
    on_missing_root: OnMissingRoot | Unset = UNSET
    on_removed: OnRemoved | Unset = UNSET
    on_unknown: OnUnknown | Unset = UNSET
    urgency: Urgency | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        from ..models.channel_target import ChannelTarget  # noqa: PLC0415
        from ..models.default_target import DefaultTarget  # noqa: PLC0415
        from ..models.fallback_input import FallbackInput  # noqa: PLC0415

        content = self.content.to_dict()

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
        elif isinstance(self.fallback, FallbackInput):
            fallback = self.fallback.to_dict()
        else:
            fallback = self.fallback

        final = self.final

        log: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.log, Unset):
            log = []
            for log_item_data in self.log:
                log_item = log_item_data.to_dict()
                log.append(log_item)

        not_before: None | str | Unset
        if isinstance(self.not_before, Unset):
            not_before = UNSET
        elif isinstance(self.not_before, datetime.datetime):
            not_before = self.not_before.isoformat()
        else:
            not_before = self.not_before

        on_missing_root: str | Unset = UNSET
        if not isinstance(self.on_missing_root, Unset):
            on_missing_root = self.on_missing_root

        on_removed: str | Unset = UNSET
        if not isinstance(self.on_removed, Unset):
            on_removed = self.on_removed

        on_unknown: str | Unset = UNSET
        if not isinstance(self.on_unknown, Unset):
            on_unknown = self.on_unknown

        urgency: str | Unset = UNSET
        if not isinstance(self.urgency, Unset):
            urgency = self.urgency

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "content": content,
                "revision": revision,
                "targets": targets,
            }
        )
        if expires_at is not UNSET:
            field_dict["expires_at"] = expires_at
        if fallback is not UNSET:
            field_dict["fallback"] = fallback
        if final is not UNSET:
            field_dict["final"] = final
        if log is not UNSET:
            field_dict["log"] = log
        if not_before is not UNSET:
            field_dict["not_before"] = not_before
        if on_missing_root is not UNSET:
            field_dict["on_missing_root"] = on_missing_root
        if on_removed is not UNSET:
            field_dict["on_removed"] = on_removed
        if on_unknown is not UNSET:
            field_dict["on_unknown"] = on_unknown
        if urgency is not UNSET:
            field_dict["urgency"] = urgency

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.channel_target import ChannelTarget  # noqa: PLC0415
        from ..models.content_input import ContentInput  # noqa: PLC0415
        from ..models.default_target import DefaultTarget  # noqa: PLC0415
        from ..models.fallback_input import FallbackInput  # noqa: PLC0415
        from ..models.log_line import LogLine  # noqa: PLC0415
        from ..models.user_target_input import UserTargetInput  # noqa: PLC0415

        d = dict(src_dict)
        content = ContentInput.from_dict(d.pop("content"))

        revision = d.pop("revision")

        targets = []
        _targets = d.pop("targets")
        for targets_item_data in _targets:

            def _parse_targets_item(data: object) -> ChannelTarget | DefaultTarget | UserTargetInput:
                try:
                    if not isinstance(data, dict):
                        raise TypeError()
                    componentsschemas_target_input_type_0 = ChannelTarget.from_dict(data)

                    return componentsschemas_target_input_type_0
                except (TypeError, ValueError, AttributeError, KeyError):
                    pass
                try:
                    if not isinstance(data, dict):
                        raise TypeError()
                    componentsschemas_target_input_type_1 = DefaultTarget.from_dict(data)

                    return componentsschemas_target_input_type_1
                except (TypeError, ValueError, AttributeError, KeyError):
                    pass
                if not isinstance(data, dict):
                    raise TypeError()
                componentsschemas_target_input_type_2 = UserTargetInput.from_dict(data)

                return componentsschemas_target_input_type_2

            targets_item = _parse_targets_item(targets_item_data)

            targets.append(targets_item)

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

        def _parse_fallback(data: object) -> FallbackInput | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                fallback_type_0 = FallbackInput.from_dict(data)

                return fallback_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(FallbackInput | None | Unset, data)

        fallback = _parse_fallback(d.pop("fallback", UNSET))

        final = d.pop("final", UNSET)

        _log = d.pop("log", UNSET)
        log: list[LogLine] | Unset = UNSET
        if _log is not UNSET:
            log = []
            for log_item_data in _log:
                log_item = LogLine.from_dict(log_item_data)

                log.append(log_item)

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

        _on_missing_root = d.pop("on_missing_root", UNSET)
        on_missing_root: OnMissingRoot | Unset
        if isinstance(_on_missing_root, Unset):
            on_missing_root = UNSET
        else:
            on_missing_root = check_on_missing_root(_on_missing_root)

        _on_removed = d.pop("on_removed", UNSET)
        on_removed: OnRemoved | Unset
        if isinstance(_on_removed, Unset):
            on_removed = UNSET
        else:
            on_removed = check_on_removed(_on_removed)

        _on_unknown = d.pop("on_unknown", UNSET)
        on_unknown: OnUnknown | Unset
        if isinstance(_on_unknown, Unset):
            on_unknown = UNSET
        else:
            on_unknown = check_on_unknown(_on_unknown)

        _urgency = d.pop("urgency", UNSET)
        urgency: Urgency | Unset
        if isinstance(_urgency, Unset):
            urgency = UNSET
        else:
            urgency = check_urgency(_urgency)

        put_message_input = cls(
            content=content,
            revision=revision,
            targets=targets,
            expires_at=expires_at,
            fallback=fallback,
            final=final,
            log=log,
            not_before=not_before,
            on_missing_root=on_missing_root,
            on_removed=on_removed,
            on_unknown=on_unknown,
            urgency=urgency,
        )

        return put_message_input
