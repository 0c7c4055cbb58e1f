from typing import Any
from urllib.parse import quote

import httpx

from ... import errors
from ...models.unlinked_count import UnlinkedCount


def request(
    org: str,
    user: str,
) -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": "delete",
        "url": "/v1/organizations/{org}/users/{user}".format(
            org=quote(str(org), safe=""),
            user=quote(str(user), safe=""),
        ),
    }
    return _kwargs


def parse(response: httpx.Response) -> UnlinkedCount:
    if response.status_code == 200:
        response_200 = UnlinkedCount.from_dict(response.json())

        return response_200

    raise errors.UnexpectedStatus(response.status_code, response.content)
