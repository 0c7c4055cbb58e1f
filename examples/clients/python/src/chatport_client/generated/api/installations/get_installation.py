from typing import Any
from urllib.parse import quote

import httpx

from ... import errors
from ...models.installation import Installation
from ...types import UNSET, Unset


def request(
    org: str,
    id: str,
    *,
    probe: bool | Unset = False,
) -> dict[str, Any]:
    params: dict[str, Any] = {}

    params["probe"] = probe

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/v1/organizations/{org}/installations/{id}".format(
            org=quote(str(org), safe=""),
            id=quote(str(id), safe=""),
        ),
        "params": params,
    }
    return _kwargs


def parse(response: httpx.Response) -> Installation:
    if response.status_code == 200:
        response_200 = Installation.from_dict(response.json())

        return response_200

    raise errors.UnexpectedStatus(response.status_code, response.content)
