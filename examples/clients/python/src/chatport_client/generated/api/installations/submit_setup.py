from typing import Any
from urllib.parse import quote

import httpx

from ... import errors
from ...models.installation import Installation
from ...models.submission import Submission


def request(
    org: str,
    id: str,
    *,
    body: Submission,
) -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/v1/organizations/{org}/installations/{id}/setup".format(
            org=quote(str(org), safe=""),
            id=quote(str(id), safe=""),
        ),
    }
    _kwargs["json"] = body.to_dict()

    return _kwargs


def parse(response: httpx.Response) -> Installation:
    if response.status_code == 200:
        response_200 = Installation.from_dict(response.json())

        return response_200

    raise errors.UnexpectedStatus(response.status_code, response.content)
