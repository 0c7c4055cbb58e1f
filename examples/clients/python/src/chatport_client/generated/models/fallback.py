from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define

if TYPE_CHECKING:
    from ..models.channel_target import ChannelTarget
    from ..models.default_target import DefaultTarget
    from ..models.user_target import UserTarget


T = TypeVar("T", bound="Fallback")


@_attrs_define
class Fallback:
    """More targets, for the case that one of the others doesn't show this revision in time: it
    is still on its way, or it can't be delivered.

        Attributes:
            after (int): How many seconds the others have: 1 to 86400, from `not_before` on if there is one. A
                target that can't be delivered to ends the wait at once.
            targets (list[ChannelTarget | DefaultTarget | UserTarget]): Where it is shown then.
    """

    after: int
    targets: list[ChannelTarget | DefaultTarget | UserTarget]

    def to_dict(self) -> dict[str, Any]:
        from ..models.channel_target import ChannelTarget  # noqa: PLC0415
        from ..models.default_target import DefaultTarget  # noqa: PLC0415

        after = self.after

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

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "after": after,
                "targets": targets,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.channel_target import ChannelTarget  # noqa: PLC0415
        from ..models.default_target import DefaultTarget  # noqa: PLC0415
        from ..models.user_target import UserTarget  # noqa: PLC0415

        d = dict(src_dict)
        after = d.pop("after")

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

        fallback = cls(
            after=after,
            targets=targets,
        )

        return fallback
