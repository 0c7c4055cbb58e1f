from typing import Any
from urllib.parse import quote

import httpx

from ... import errors
from ...models.organization_view import OrganizationView
from ...models.put_organization import PutOrganization


def request(
    org: str,
    *,
    body: PutOrganization,
) -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": "put",
        "url": "/v1/organizations/{org}".format(
            org=quote(str(org), safe=""),
        ),
    }
    _kwargs["json"] = body.to_dict()

    return _kwargs


def parse(response: httpx.Response) -> OrganizationView:
    if response.status_code == 200:
        response_200 = OrganizationView.from_dict(response.json())

        return response_200

    raise errors.UnexpectedStatus(response.status_code, response.content)
