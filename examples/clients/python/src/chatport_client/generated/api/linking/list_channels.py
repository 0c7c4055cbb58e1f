import datetime
from typing import Any
from urllib.parse import quote

import httpx

from ... import errors
from ...models.channel_page import ChannelPage
from ...types import UNSET, Unset


def request(
    org: str,
    *,
    cursor: str | Unset = UNSET,
    installation: str | Unset = UNSET,
    limit: int | Unset = 100,
    updated_after: datetime.datetime | Unset = UNSET,
) -> dict[str, Any]:
    params: dict[str, Any] = {}

    params["cursor"] = cursor

    params["installation"] = installation

    params["limit"] = limit

    json_updated_after: str | Unset = UNSET
    if not isinstance(updated_after, Unset):
        json_updated_after = updated_after.isoformat()
    params["updated_after"] = json_updated_after

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/v1/organizations/{org}/channels".format(
            org=quote(str(org), safe=""),
        ),
        "params": params,
    }
    return _kwargs


def parse(response: httpx.Response) -> ChannelPage:
    if response.status_code == 200:
        response_200 = ChannelPage.from_dict(response.json())

        return response_200

    raise errors.UnexpectedStatus(response.status_code, response.content)
