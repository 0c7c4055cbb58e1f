import datetime
from typing import Any
from urllib.parse import quote

import httpx

from ... import errors
from ...models.dead_letter_page import DeadLetterPage
from ...types import UNSET, Unset


def request(
    org: str,
    *,
    before: datetime.datetime | Unset = UNSET,
    code: str | Unset = UNSET,
    cursor: str | Unset = UNSET,
    installation: str | Unset = UNSET,
    limit: int | Unset = 100,
    since: datetime.datetime | Unset = UNSET,
) -> dict[str, Any]:
    params: dict[str, Any] = {}

    json_before: str | Unset = UNSET
    if not isinstance(before, Unset):
        json_before = before.isoformat()
    params["before"] = json_before

    params["code"] = code

    params["cursor"] = cursor

    params["installation"] = installation

    params["limit"] = limit

    json_since: str | Unset = UNSET
    if not isinstance(since, Unset):
        json_since = since.isoformat()
    params["since"] = json_since

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/v1/organizations/{org}/dead-letters".format(
            org=quote(str(org), safe=""),
        ),
        "params": params,
    }
    return _kwargs


def parse(response: httpx.Response) -> DeadLetterPage:
    if response.status_code == 200:
        response_200 = DeadLetterPage.from_dict(response.json())

        return response_200

    raise errors.UnexpectedStatus(response.status_code, response.content)
