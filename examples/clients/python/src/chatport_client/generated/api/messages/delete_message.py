from typing import Any
from urllib.parse import quote

import httpx

from ... import errors
from ...models.deleted import Deleted


def request(
    org: str,
    key: str,
) -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": "delete",
        "url": "/v1/organizations/{org}/messages/{key}".format(
            org=quote(str(org), safe=""),
            key=quote(str(key), safe=""),
        ),
    }
    return _kwargs


def parse(response: httpx.Response) -> Deleted:
    if response.status_code == 202:
        response_202 = Deleted.from_dict(response.json())

        return response_202

    raise errors.UnexpectedStatus(response.status_code, response.content)
