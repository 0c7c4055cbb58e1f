from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.content_input import ContentInput


T = TypeVar("T", bound="PreviewRequest")


@_attrs_define
class PreviewRequest:
    """A document to be looked at.

    Attributes:
        content (ContentInput): What a message says.
        backends (list[str] | None | Unset): On these backends; absent: on all that deliver.
    """

    content: ContentInput
    backends: list[str] | None | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        content = self.content.to_dict()

        backends: list[str] | None | Unset
        if isinstance(self.backends, Unset):
            backends = UNSET
        elif isinstance(self.backends, list):
            backends = self.backends

        else:
            backends = self.backends

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "content": content,
            }
        )
        if backends is not UNSET:
            field_dict["backends"] = backends

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.content_input import ContentInput  # noqa: PLC0415

        d = dict(src_dict)
        content = ContentInput.from_dict(d.pop("content"))

        def _parse_backends(data: object) -> list[str] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, list):
                    raise TypeError()
                backends_type_0 = cast(list[str], data)

                return backends_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(list[str] | None | Unset, data)

        backends = _parse_backends(d.pop("backends", UNSET))

        preview_request = cls(
            content=content,
            backends=backends,
        )

        return preview_request
