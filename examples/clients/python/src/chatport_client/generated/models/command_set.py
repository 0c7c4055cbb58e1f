from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.sync_state import SyncState, check_sync_state
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.declared_command import DeclaredCommand
    from ..models.sync_problem import SyncProblem


T = TypeVar("T", bound="CommandSet")


@_attrs_define
class CommandSet:
    """The commands of an installation, as applications read them.

    Attributes:
        commands (list[DeclaredCommand]): The commands, in the order in which they were declared.
        missing (list[str]): What the platform doesn't offer though it knows the rest, in words.
        state (SyncState): Whether a platform offers what was declared.
        synced_at (datetime.datetime | None): When the platform last got to know them.
        problem (None | SyncProblem | Unset): Why the platform couldn't be told; present while that is so.
    """

    commands: list[DeclaredCommand]
    missing: list[str]
    state: SyncState
    synced_at: datetime.datetime | None
    problem: None | SyncProblem | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.sync_problem import SyncProblem  # noqa: PLC0415

        commands = []
        for commands_item_data in self.commands:
            commands_item = commands_item_data.to_dict()
            commands.append(commands_item)

        missing = self.missing

        state: str = self.state

        synced_at: None | str
        if isinstance(self.synced_at, datetime.datetime):
            synced_at = self.synced_at.isoformat()
        else:
            synced_at = self.synced_at

        problem: dict[str, Any] | None | Unset
        if isinstance(self.problem, Unset):
            problem = UNSET
        elif isinstance(self.problem, SyncProblem):
            problem = self.problem.to_dict()
        else:
            problem = self.problem

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "commands": commands,
                "missing": missing,
                "state": state,
                "synced_at": synced_at,
            }
        )
        if problem is not UNSET:
            field_dict["problem"] = problem

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.declared_command import DeclaredCommand  # noqa: PLC0415
        from ..models.sync_problem import SyncProblem  # noqa: PLC0415

        d = dict(src_dict)
        commands = []
        _commands = d.pop("commands")
        for commands_item_data in _commands:
            commands_item = DeclaredCommand.from_dict(commands_item_data)

            commands.append(commands_item)

        missing = cast(list[str], d.pop("missing"))

        state = check_sync_state(d.pop("state"))

        def _parse_synced_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                synced_at_type_0 = datetime.datetime.fromisoformat(data)

                return synced_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        synced_at = _parse_synced_at(d.pop("synced_at"))

        def _parse_problem(data: object) -> None | SyncProblem | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                problem_type_0 = SyncProblem.from_dict(data)

                return problem_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | SyncProblem | Unset, data)

        problem = _parse_problem(d.pop("problem", UNSET))

        command_set = cls(
            commands=commands,
            missing=missing,
            state=state,
            synced_at=synced_at,
            problem=problem,
        )

        command_set.additional_properties = d
        return command_set

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
