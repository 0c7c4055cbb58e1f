from typing import Any
from urllib.parse import quote

import httpx

from ... import errors


def request(
    org: str,
    id: str,
) -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": "delete",
        "url": "/v1/organizations/{org}/accounts/{id}".format(
            org=quote(str(org), safe=""),
            id=quote(str(id), safe=""),
        ),
    }
    return _kwargs


def parse(response: httpx.Response) -> None:
    if response.status_code == 204:
        return None

    raise errors.UnexpectedStatus(response.status_code, response.content)
