from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.installation_state import InstallationState, check_installation_state
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.copy_value_step import CopyValueStep
    from ..models.fields_step import FieldsStep
    from ..models.installation_health import InstallationHealth
    from ..models.installation_identity import InstallationIdentity
    from ..models.open_link_step import OpenLinkStep
    from ..models.problem import Problem
    from ..models.run_command_step import RunCommandStep
    from ..models.send_text_step import SendTextStep
    from ..models.wait_step import WaitStep


T = TypeVar("T", bound="Installation")


@_attrs_define
class Installation:
    """An installation, as applications read it.

    Attributes:
        backend (str): Its backend.
        created_at (datetime.datetime): When it was made.
        health (InstallationHealth): How an installation is.
        id (str): One backend set up for one organization.
        settings (Any): Its settings.
        state (InstallationState): Where an installation stands.
        steps (list[CopyValueStep | FieldsStep | OpenLinkStep | RunCommandStep | SendTextStep | WaitStep]): What is to
            be done next. A secret value stands only in the answer that made it; later
            it is null.
        updated_at (datetime.datetime): When it was changed last.
        identity (InstallationIdentity | None | Unset): What it turned out to be.
        problem (None | Problem | Unset): Why it is suspended.
        removed_at (datetime.datetime | None | Unset): When it was removed.
        window_until (datetime.datetime | None | Unset): Until when setup may be completed on the platform's side.
    """

    backend: str
    created_at: datetime.datetime
    health: InstallationHealth
    id: str
    settings: Any
    state: InstallationState
    steps: list[CopyValueStep | FieldsStep | OpenLinkStep | RunCommandStep | SendTextStep | WaitStep]
    updated_at: datetime.datetime
    identity: InstallationIdentity | None | Unset = UNSET
    problem: None | Problem | Unset = UNSET
    removed_at: datetime.datetime | None | Unset = UNSET
    window_until: datetime.datetime | None | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.copy_value_step import CopyValueStep  # noqa: PLC0415
        from ..models.fields_step import FieldsStep  # noqa: PLC0415
        from ..models.installation_identity import InstallationIdentity  # noqa: PLC0415
        from ..models.open_link_step import OpenLinkStep  # noqa: PLC0415
        from ..models.problem import Problem  # noqa: PLC0415
        from ..models.run_command_step import RunCommandStep  # noqa: PLC0415
        from ..models.send_text_step import SendTextStep  # noqa: PLC0415

        backend = self.backend

        created_at = self.created_at.isoformat()

        health = self.health.to_dict()

        id = self.id

        settings = self.settings

        state: str = self.state

        steps = []
        for steps_item_data in self.steps:
            steps_item: dict[str, Any]
            if isinstance(steps_item_data, OpenLinkStep):
                steps_item = steps_item_data.to_dict()
            elif isinstance(steps_item_data, CopyValueStep):
                steps_item = steps_item_data.to_dict()
            elif isinstance(steps_item_data, RunCommandStep):
                steps_item = steps_item_data.to_dict()
            elif isinstance(steps_item_data, SendTextStep):
                steps_item = steps_item_data.to_dict()
            elif isinstance(steps_item_data, FieldsStep):
                steps_item = steps_item_data.to_dict()
            else:
                steps_item = steps_item_data.to_dict()

            steps.append(steps_item)

        updated_at = self.updated_at.isoformat()

        identity: dict[str, Any] | None | Unset
        if isinstance(self.identity, Unset):
            identity = UNSET
        elif isinstance(self.identity, InstallationIdentity):
            identity = self.identity.to_dict()
        else:
            identity = self.identity

        problem: dict[str, Any] | None | Unset
        if isinstance(self.problem, Unset):
            problem = UNSET
        elif isinstance(self.problem, Problem):
            problem = self.problem.to_dict()
        else:
            problem = self.problem

        removed_at: None | str | Unset
        if isinstance(self.removed_at, Unset):
            removed_at = UNSET
        elif isinstance(self.removed_at, datetime.datetime):
            removed_at = self.removed_at.isoformat()
        else:
            removed_at = self.removed_at

        window_until: None | str | Unset
        if isinstance(self.window_until, Unset):
            window_until = UNSET
        elif isinstance(self.window_until, datetime.datetime):
            window_until = self.window_until.isoformat()
        else:
            window_until = self.window_until

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "backend": backend,
                "created_at": created_at,
                "health": health,
                "id": id,
                "settings": settings,
                "state": state,
                "steps": steps,
                "updated_at": updated_at,
            }
        )
        if identity is not UNSET:
            field_dict["identity"] = identity
        if problem is not UNSET:
            field_dict["problem"] = problem
        if removed_at is not UNSET:
            field_dict["removed_at"] = removed_at
        if window_until is not UNSET:
            field_dict["window_until"] = window_until

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.copy_value_step import CopyValueStep  # noqa: PLC0415
        from ..models.fields_step import FieldsStep  # noqa: PLC0415
        from ..models.installation_health import InstallationHealth  # noqa: PLC0415
        from ..models.installation_identity import InstallationIdentity  # noqa: PLC0415
        from ..models.open_link_step import OpenLinkStep  # noqa: PLC0415
        from ..models.problem import Problem  # noqa: PLC0415
        from ..models.run_command_step import RunCommandStep  # noqa: PLC0415
        from ..models.send_text_step import SendTextStep  # noqa: PLC0415
        from ..models.wait_step import WaitStep  # noqa: PLC0415

        d = dict(src_dict)
        backend = d.pop("backend")

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        health = InstallationHealth.from_dict(d.pop("health"))

        id = d.pop("id")

        settings = d.pop("settings")

        state = check_installation_state(d.pop("state"))

        steps = []
        _steps = d.pop("steps")
        for steps_item_data in _steps:

            def _parse_steps_item(
                data: object,
            ) -> CopyValueStep | FieldsStep | OpenLinkStep | RunCommandStep | SendTextStep | WaitStep:
                try:
                    if not isinstance(data, dict):
                        raise TypeError()
                    componentsschemas_shown_step_open_link_step = OpenLinkStep.from_dict(data)

                    return componentsschemas_shown_step_open_link_step
                except (TypeError, ValueError, AttributeError, KeyError):
                    pass
                try:
                    if not isinstance(data, dict):
                        raise TypeError()
                    componentsschemas_shown_step_copy_value_step = CopyValueStep.from_dict(data)

                    return componentsschemas_shown_step_copy_value_step
                except (TypeError, ValueError, AttributeError, KeyError):
                    pass
                try:
                    if not isinstance(data, dict):
                        raise TypeError()
                    componentsschemas_shown_step_run_command_step = RunCommandStep.from_dict(data)

                    return componentsschemas_shown_step_run_command_step
                except (TypeError, ValueError, AttributeError, KeyError):
                    pass
                try:
                    if not isinstance(data, dict):
                        raise TypeError()
                    componentsschemas_shown_step_send_text_step = SendTextStep.from_dict(data)

                    return componentsschemas_shown_step_send_text_step
                except (TypeError, ValueError, AttributeError, KeyError):
                    pass
                try:
                    if not isinstance(data, dict):
                        raise TypeError()
                    componentsschemas_shown_step_fields_step = FieldsStep.from_dict(data)

                    return componentsschemas_shown_step_fields_step
                except (TypeError, ValueError, AttributeError, KeyError):
                    pass
                if not isinstance(data, dict):
                    raise TypeError()
                componentsschemas_shown_step_wait_step = WaitStep.from_dict(data)

                return componentsschemas_shown_step_wait_step

            steps_item = _parse_steps_item(steps_item_data)

            steps.append(steps_item)

        updated_at = datetime.datetime.fromisoformat(d.pop("updated_at"))

        def _parse_identity(data: object) -> InstallationIdentity | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                identity_type_0 = InstallationIdentity.from_dict(data)

                return identity_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(InstallationIdentity | None | Unset, data)

        identity = _parse_identity(d.pop("identity", UNSET))

        def _parse_problem(data: object) -> None | Problem | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                problem_type_0 = Problem.from_dict(data)

                return problem_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | Problem | Unset, data)

        problem = _parse_problem(d.pop("problem", UNSET))

        def _parse_removed_at(data: object) -> datetime.datetime | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                removed_at_type_0 = datetime.datetime.fromisoformat(data)

                return removed_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None | Unset, data)

        removed_at = _parse_removed_at(d.pop("removed_at", UNSET))

        def _parse_window_until(data: object) -> datetime.datetime | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                window_until_type_0 = datetime.datetime.fromisoformat(data)

                return window_until_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None | Unset, data)

        window_until = _parse_window_until(d.pop("window_until", UNSET))

        installation = cls(
            backend=backend,
            created_at=created_at,
            health=health,
            id=id,
            settings=settings,
            state=state,
            steps=steps,
            updated_at=updated_at,
            identity=identity,
            problem=problem,
            removed_at=removed_at,
            window_until=window_until,
        )

        installation.additional_properties = d
        return installation

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
