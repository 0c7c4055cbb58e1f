"""Microsoft's Teams SDK (PyPI microsoft-teams-apps) judges tokens, activities, cards and answers to invokes.

    judge.py APP_ID ADDRESS_OF_KEYS

On standard input and output, one JSON document a line: what is to be judged, and the verdict.
"""

import asyncio
import inspect
import json
import logging
import sys

import jwt
from microsoft_teams.api import ActivityTypeAdapter
from microsoft_teams.api.auth.cloud_environment import PUBLIC
from microsoft_teams.api.models.adaptive_card.adaptive_card_action_response import AdaptiveCardActionResponse
from microsoft_teams.apps.auth.token_validator import TokenValidator
from microsoft_teams.cards import core
from pydantic import BaseModel, TypeAdapter

logging.disable(logging.CRITICAL)

ANSWERS = TypeAdapter(AdaptiveCardActionResponse)


def kinds():
    """The models of elements and actions by the names that cards use."""
    found = {}
    for _, model in inspect.getmembers(core, inspect.isclass):
        if issubclass(model, BaseModel) and isinstance(model.model_fields.get("type"), object):
            field = model.model_fields.get("type")
            if field is not None and isinstance(field.default, str):
                found[field.default] = model
    return found


KINDS = kinds()


def names(model):
    """The members that a model has, as they stand in JSON."""
    alias = model.model_config["alias_generator"].serialization_alias
    return {field.serialization_alias or alias(name) for name, field in model.model_fields.items()}


def card(value):
    """A card, each element and action by its own model: the card's alone looks at their kinds only."""
    pending = [value]
    while pending:
        at = pending.pop()
        if isinstance(at, list):
            pending.extend(at)
        if not isinstance(at, dict):
            continue
        if "type" in at and at["type"] != "mention":
            model = KINDS[at["type"]]
            model.model_validate(at)
            unknown = set(at) - names(model) - {"msteams"}
            if unknown:
                raise ValueError(f"{at['type']} has no {sorted(unknown)}")
        pending.extend(child for name, child in at.items() if name not in ("data", "msteams"))


def answer(value):
    ANSWERS.validate_python(value)
    if value["type"] == "application/vnd.microsoft.card.adaptive":
        card(value["value"])


def message(value):
    """A message that the bot sends, with its cards."""
    ActivityTypeAdapter.validate_python({"id": "1", "channelId": "msteams", **PARTIES, **value})
    for attachment in value.get("attachments", []):
        card(attachment["content"])


PARTIES = {
    "from": {"id": "28:bot", "name": "Bot"},
    "recipient": {"id": "29:user", "name": "Ada"},
    "conversation": {"id": "a:1", "conversationType": "personal"},
}


def main():
    app_id, keys = sys.argv[1:]
    validator = TokenValidator.for_service(app_id, cloud=PUBLIC)
    validator._jwks_client = jwt.PyJWKClient(keys)

    def token(value):
        asyncio.run(validator.validate_token(value["token"], service_url=value["service_url"]))

    judges = {
        "token": token,
        "activity": ActivityTypeAdapter.validate_python,
        "answer": answer,
        "message": message,
        "card": card,
    }
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            judges[asked["what"]](asked["value"])
            verdict = {"accepts": True}
        except Exception as refused:  # Whatever it says no with, it says no.
            verdict = {"accepts": False, "why": f"{type(refused).__name__}: {refused}"}
        print(json.dumps(verdict), flush=True)


main()
