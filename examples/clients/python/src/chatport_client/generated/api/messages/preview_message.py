from typing import Any
from urllib.parse import quote

import httpx

from ... import errors
from ...models.preview_request import PreviewRequest
from ...models.previews import Previews


def request(
    org: str,
    *,
    body: PreviewRequest,
) -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/v1/organizations/{org}/previews".format(
            org=quote(str(org), safe=""),
        ),
    }
    _kwargs["json"] = body.to_dict()

    return _kwargs


def parse(response: httpx.Response) -> Previews:
    if response.status_code == 200:
        response_200 = Previews.from_dict(response.json())

        return response_200

    raise errors.UnexpectedStatus(response.status_code, response.content)
