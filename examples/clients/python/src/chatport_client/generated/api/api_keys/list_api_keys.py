from typing import Any

import httpx

from ... import errors
from ...models.keys import Keys


def request() -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/v1/api-keys",
    }
    return _kwargs


def parse(response: httpx.Response) -> Keys:
    if response.status_code == 200:
        response_200 = Keys.from_dict(response.json())

        return response_200

    raise errors.UnexpectedStatus(response.status_code, response.content)
