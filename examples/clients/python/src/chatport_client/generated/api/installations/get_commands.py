from typing import Any
from urllib.parse import quote

import httpx

from ... import errors
from ...models.command_set import CommandSet


def request(
    org: str,
    id: str,
) -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/v1/organizations/{org}/installations/{id}/commands".format(
            org=quote(str(org), safe=""),
            id=quote(str(id), safe=""),
        ),
    }
    return _kwargs


def parse(response: httpx.Response) -> CommandSet:
    if response.status_code == 200:
        response_200 = CommandSet.from_dict(response.json())

        return response_200

    raise errors.UnexpectedStatus(response.status_code, response.content)
