"""What aiogram's models of the Bot API say of bodies.

Each line of the input is {"as": MODEL, "body": BODY}; each line of the output is `ok`, or what is
wrong. The models ignore what they don't know, and take a wrong keyboard for one of another kind, so
both are looked at here.
"""

import json
import sys

from aiogram import methods, types
from pydantic import BaseModel, ValidationError


def unknown(model, body, at):
    """The members that a model doesn't know, in what lies below it too."""
    known = {}
    for name, field in model.model_fields.items():
        known[name] = known[field.alias or name] = field
    for name, value in body.items():
        if name not in known:
            yield f"{at}.{name}"
            continue
        inner = [kind for kind in flat(known[name].annotation) if isinstance(kind, type) and issubclass(kind, BaseModel)]
        for item in items(value):
            if isinstance(item, dict) and inner:
                yield from min((list(unknown(kind, item, f"{at}.{name}")) for kind in inner), key=len)


def items(value):
    """What lies in lists, however deep."""
    if not isinstance(value, list):
        yield value
        return
    for item in value:
        yield from items(item)


def flat(annotation):
    """The types of which an annotation is made."""
    parts = getattr(annotation, "__args__", None)
    if not parts:
        yield annotation
        return
    for part in parts:
        yield from flat(part)


def verdict(name, body):
    model = getattr(methods, name, None) or getattr(types, name)
    try:
        model.model_validate(body)
        markup = body.get("reply_markup")
        if isinstance(markup, dict) and "inline_keyboard" in markup:
            types.InlineKeyboardMarkup.model_validate(markup)
    except ValidationError as error:
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    strange = list(unknown(model, body, name))
    return f"unknown: {', '.join(strange)}" if strange else "ok"


for line in sys.stdin:
    asked = json.loads(line)
    print(verdict(asked["as"], asked["body"]), flush=True)
