from typing import Any
from urllib.parse import quote

import httpx

from ... import errors
from ...models.channel import Channel


def request(
    org: str,
    id: str,
) -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/v1/organizations/{org}/channels/{id}".format(
            org=quote(str(org), safe=""),
            id=quote(str(id), safe=""),
        ),
    }
    return _kwargs


def parse(response: httpx.Response) -> Channel:
    if response.status_code == 200:
        response_200 = Channel.from_dict(response.json())

        return response_200

    raise errors.UnexpectedStatus(response.status_code, response.content)
