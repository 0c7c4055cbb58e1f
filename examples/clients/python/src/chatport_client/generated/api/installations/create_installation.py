from typing import Any
from urllib.parse import quote

import httpx

from ... import errors
from ...models.installation import Installation
from ...models.new_installation import NewInstallation


def request(
    org: str,
    *,
    body: NewInstallation,
) -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/v1/organizations/{org}/installations".format(
            org=quote(str(org), safe=""),
        ),
    }
    _kwargs["json"] = body.to_dict()

    return _kwargs


def parse(response: httpx.Response) -> Installation:
    if response.status_code == 201:
        response_201 = Installation.from_dict(response.json())

        return response_201

    raise errors.UnexpectedStatus(response.status_code, response.content)
