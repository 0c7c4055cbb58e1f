from typing import Any
from urllib.parse import quote

import httpx

from ... import errors
from ...models.resolved import Resolved
from ...types import UNSET, Unset


def request(
    org: str,
    id: str,
    *,
    email: str | Unset = UNSET,
    name: str | Unset = UNSET,
) -> dict[str, Any]:
    params: dict[str, Any] = {}

    params["email"] = email

    params["name"] = name

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/v1/organizations/{org}/installations/{id}/directory/resolve".format(
            org=quote(str(org), safe=""),
            id=quote(str(id), safe=""),
        ),
        "params": params,
    }
    return _kwargs


def parse(response: httpx.Response) -> Resolved:
    if response.status_code == 200:
        response_200 = Resolved.from_dict(response.json())

        return response_200

    raise errors.UnexpectedStatus(response.status_code, response.content)
