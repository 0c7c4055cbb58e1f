from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.purpose import Purpose, check_purpose

if TYPE_CHECKING:
    from ..models.copy_value_step import CopyValueStep
    from ..models.fields_step import FieldsStep
    from ..models.open_link_step import OpenLinkStep
    from ..models.run_command_step import RunCommandStep
    from ..models.send_text_step import SendTextStep
    from ..models.wait_step import WaitStep


T = TypeVar("T", bound="CodeView")


@_attrs_define
class CodeView:
    """A code.

    Attributes:
        code (str): In groups, e.g. `K7QX-2M4P-9ZRT`; shown this once.
        deep_link (None | str): A link that does it all, where the platform has such links.
        expires_at (datetime.datetime): Until when it can be entered.
        installation (str): One backend set up for one organization.
        purpose (Purpose): What a code links.
        steps (list[CopyValueStep | FieldsStep | OpenLinkStep | RunCommandStep | SendTextStep | WaitStep]): What the
            person does.
    """

    code: str
    deep_link: None | str
    expires_at: datetime.datetime
    installation: str
    purpose: Purpose
    steps: list[CopyValueStep | FieldsStep | OpenLinkStep | RunCommandStep | SendTextStep | WaitStep]
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.copy_value_step import CopyValueStep  # noqa: PLC0415
        from ..models.fields_step import FieldsStep  # noqa: PLC0415
        from ..models.open_link_step import OpenLinkStep  # noqa: PLC0415
        from ..models.run_command_step import RunCommandStep  # noqa: PLC0415
        from ..models.send_text_step import SendTextStep  # noqa: PLC0415

        code = self.code

        deep_link: None | str
        deep_link = self.deep_link

        expires_at = self.expires_at.isoformat()

        installation = self.installation

        purpose: str = self.purpose

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

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "code": code,
                "deep_link": deep_link,
                "expires_at": expires_at,
                "installation": installation,
                "purpose": purpose,
                "steps": steps,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.copy_value_step import CopyValueStep  # noqa: PLC0415
        from ..models.fields_step import FieldsStep  # noqa: PLC0415
        from ..models.open_link_step import OpenLinkStep  # noqa: PLC0415
        from ..models.run_command_step import RunCommandStep  # noqa: PLC0415
        from ..models.send_text_step import SendTextStep  # noqa: PLC0415
        from ..models.wait_step import WaitStep  # noqa: PLC0415

        d = dict(src_dict)
        code = d.pop("code")

        def _parse_deep_link(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        deep_link = _parse_deep_link(d.pop("deep_link"))

        expires_at = datetime.datetime.fromisoformat(d.pop("expires_at"))

        installation = d.pop("installation")

        purpose = check_purpose(d.pop("purpose"))

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

        code_view = cls(
            code=code,
            deep_link=deep_link,
            expires_at=expires_at,
            installation=installation,
            purpose=purpose,
            steps=steps,
        )

        code_view.additional_properties = d
        return code_view

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
