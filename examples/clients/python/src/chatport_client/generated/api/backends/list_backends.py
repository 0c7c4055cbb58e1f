from typing import Any

import httpx

from ... import errors
from ...models.catalogue import Catalogue


def request() -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/v1/backends",
    }
    return _kwargs


def parse(response: httpx.Response) -> Catalogue:
    if response.status_code == 200:
        response_200 = Catalogue.from_dict(response.json())

        return response_200

    raise errors.UnexpectedStatus(response.status_code, response.content)
