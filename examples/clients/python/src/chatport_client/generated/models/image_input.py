from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="ImageInput")


@_attrs_define
class ImageInput:
    """A picture.

    Attributes:
        url (str): An http or https address that the platform can reach.
        alt (str | Unset): What it shows, for those who can't see it. Default: ''.
    """

    url: str
    alt: str | Unset = ""

    def to_dict(self) -> dict[str, Any]:
        url = self.url

        alt = self.alt

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "url": url,
            }
        )
        if alt is not UNSET:
            field_dict["alt"] = alt

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        url = d.pop("url")

        alt = d.pop("alt", UNSET)

        image_input = cls(
            url=url,
            alt=alt,
        )

        return image_input
