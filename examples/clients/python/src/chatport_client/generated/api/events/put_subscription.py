from typing import Any
from urllib.parse import quote

import httpx

from ... import errors
from ...models.put_subscription import PutSubscription
from ...models.subscription_view import SubscriptionView


def request(
    name: str,
    *,
    body: PutSubscription,
) -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": "put",
        "url": "/v1/subscriptions/{name}".format(
            name=quote(str(name), safe=""),
        ),
    }
    _kwargs["json"] = body.to_dict()

    return _kwargs


def parse(response: httpx.Response) -> SubscriptionView:
    if response.status_code == 200:
        response_200 = SubscriptionView.from_dict(response.json())

        return response_200

    if response.status_code == 201:
        response_201 = SubscriptionView.from_dict(response.json())

        return response_201

    raise errors.UnexpectedStatus(response.status_code, response.content)
