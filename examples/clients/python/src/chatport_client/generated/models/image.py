from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

T = TypeVar("T", bound="Image")


@_attrs_define
class Image:
    """A picture.

    Attributes:
        alt (str): What it shows, for those who can't see it. Default: ''.
        url (str): An http or https address that the platform can reach.
    """

    url: str
    alt: str = ""

    def to_dict(self) -> dict[str, Any]:
        alt = self.alt

        url = self.url

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "alt": alt,
                "url": url,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        alt = d.pop("alt")

        url = d.pop("url")

        image = cls(
            alt=alt,
            url=url,
        )

        return image
