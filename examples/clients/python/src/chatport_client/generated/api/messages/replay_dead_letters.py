from typing import Any
from urllib.parse import quote

import httpx

from ... import errors
from ...models.replay import Replay
from ...models.replay_request import ReplayRequest


def request(
    org: str,
    *,
    body: ReplayRequest,
) -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/v1/organizations/{org}/dead-letters/replay".format(
            org=quote(str(org), safe=""),
        ),
    }
    _kwargs["json"] = body.to_dict()

    return _kwargs


def parse(response: httpx.Response) -> Replay:
    if response.status_code == 200:
        response_200 = Replay.from_dict(response.json())

        return response_200

    raise errors.UnexpectedStatus(response.status_code, response.content)
