from typing import Any
from urllib.parse import quote

import httpx

from ... import errors
from ...models.channel import Channel
from ...models.new_channel import NewChannel


def request(
    org: str,
    *,
    body: NewChannel,
) -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/v1/organizations/{org}/channels".format(
            org=quote(str(org), safe=""),
        ),
    }
    _kwargs["json"] = body.to_dict()

    return _kwargs


def parse(response: httpx.Response) -> Channel:
    if response.status_code == 201:
        response_201 = Channel.from_dict(response.json())

        return response_201

    raise errors.UnexpectedStatus(response.status_code, response.content)
