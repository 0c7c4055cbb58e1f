from typing import Any

import httpx

from ... import errors
from ...models.made_key import MadeKey
from ...models.new_key_request import NewKeyRequest


def request(
    *,
    body: NewKeyRequest,
) -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/v1/api-keys",
    }
    _kwargs["json"] = body.to_dict()

    return _kwargs


def parse(response: httpx.Response) -> MadeKey:
    if response.status_code == 201:
        response_201 = MadeKey.from_dict(response.json())

        return response_201

    raise errors.UnexpectedStatus(response.status_code, response.content)
