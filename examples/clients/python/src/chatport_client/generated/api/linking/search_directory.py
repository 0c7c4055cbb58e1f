from typing import Any
from urllib.parse import quote

import httpx

from ... import errors
from ...models.directory_entry_page import DirectoryEntryPage
from ...models.entry_kind import EntryKind
from ...types import UNSET, Unset


def request(
    org: str,
    id: str,
    *,
    cursor: str | Unset = UNSET,
    kind: EntryKind,
    limit: int | Unset = 100,
    query: str | Unset = "",
) -> dict[str, Any]:
    params: dict[str, Any] = {}

    params["cursor"] = cursor

    json_kind: str = kind
    params["kind"] = json_kind

    params["limit"] = limit

    params["query"] = query

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/v1/organizations/{org}/installations/{id}/directory".format(
            org=quote(str(org), safe=""),
            id=quote(str(id), safe=""),
        ),
        "params": params,
    }
    return _kwargs


def parse(response: httpx.Response) -> DirectoryEntryPage:
    if response.status_code == 200:
        response_200 = DirectoryEntryPage.from_dict(response.json())

        return response_200

    raise errors.UnexpectedStatus(response.status_code, response.content)
