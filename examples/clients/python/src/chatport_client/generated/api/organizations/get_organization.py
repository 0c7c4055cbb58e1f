from typing import Any
from urllib.parse import quote

import httpx

from ... import errors
from ...models.organization_view import OrganizationView


def request(
    org: str,
) -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/v1/organizations/{org}".format(
            org=quote(str(org), safe=""),
        ),
    }
    return _kwargs


def parse(response: httpx.Response) -> OrganizationView:
    if response.status_code == 200:
        response_200 = OrganizationView.from_dict(response.json())

        return response_200

    raise errors.UnexpectedStatus(response.status_code, response.content)
