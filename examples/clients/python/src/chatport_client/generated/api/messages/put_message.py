from typing import Any
from urllib.parse import quote

import httpx

from ... import errors
from ...models.accepted import Accepted
from ...models.put_message_input import PutMessageInput


def request(
    org: str,
    key: str,
    *,
    body: PutMessageInput,
) -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": "put",
        "url": "/v1/organizations/{org}/messages/{key}".format(
            org=quote(str(org), safe=""),
            key=quote(str(key), safe=""),
        ),
    }
    _kwargs["json"] = body.to_dict()

    return _kwargs


def parse(response: httpx.Response) -> Accepted:
    if response.status_code == 200:
        response_200 = Accepted.from_dict(response.json())

        return response_200

    if response.status_code == 202:
        response_202 = Accepted.from_dict(response.json())

        return response_202

    raise errors.UnexpectedStatus(response.status_code, response.content)
