from typing import Any
from urllib.parse import quote

import httpx

from ... import errors
from ...models.message_view import MessageView


def request(
    org: str,
    key: str,
) -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/v1/organizations/{org}/messages/{key}".format(
            org=quote(str(org), safe=""),
            key=quote(str(key), safe=""),
        ),
    }
    return _kwargs


def parse(response: httpx.Response) -> MessageView:
    if response.status_code == 200:
        response_200 = MessageView.from_dict(response.json())

        return response_200

    raise errors.UnexpectedStatus(response.status_code, response.content)
