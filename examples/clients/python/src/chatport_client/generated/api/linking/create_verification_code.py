from typing import Any
from urllib.parse import quote

import httpx

from ... import errors
from ...models.code_view import CodeView
from ...models.new_code import NewCode


def request(
    org: str,
    *,
    body: NewCode,
) -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/v1/organizations/{org}/verification-codes".format(
            org=quote(str(org), safe=""),
        ),
    }
    _kwargs["json"] = body.to_dict()

    return _kwargs


def parse(response: httpx.Response) -> CodeView:
    if response.status_code == 201:
        response_201 = CodeView.from_dict(response.json())

        return response_201

    raise errors.UnexpectedStatus(response.status_code, response.content)
