"""Which OnCall backends are served by Chatport: the environment variable `CHATPORT_BACKENDS`, read once.

An entry is `NAME:ID[:PLATFORM[:LABEL]]`, with commas between entries, e.g. `MATTERMOST:9,CHAT_TELEGRAM:101`. Nothing
here asks Chatport anything: the engine must start while it is away.
"""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

VARIABLE = "CHATPORT_BACKENDS"

# What OnCall has built in, chat platforms and names of templates: `SLUG_title_template` is taken apart by the first of
# these that it begins with, so a backend whose slug begins with one of them loses its templates.
BUILT_IN = ("slack", "web", "phone_call", "sms", "telegram", "mobile_app", "email", "mattermost", "resolve_condition",
            "acknowledge_condition", "grouping_id", "source_link", "route", "alert_group")  # fmt: skip
# Numbers that OnCall's own backends have in stored policies, and who may take one over.
TAKEN_IDS = {0: "SLACK", 1: "SMS", 2: "PHONE_CALL", 3: "TELEGRAM", 5: "MOBILE_APP", 6: "MOBILE_APP_CRITICAL",
             8: "EMAIL", 9: "MATTERMOST", 11: "WEBHOOK"}  # fmt: skip
# The backends that OnCall leaves free and whose name is that of something built in.
REPLACED = ("MATTERMOST",)
MAX_ID = 32767  # a PositiveSmallIntegerField on Postgres


class ConfigurationError(Exception):
    """What an operator must mend before the engine can start."""


@dataclass(frozen=True)
class Entry:
    """One OnCall backend that Chatport serves."""

    name: str
    id: int
    platform: str
    label: str

    @property
    def slug(self) -> str:
        return self.name.lower()


def parse(text: str) -> tuple[Entry, ...]:
    """The entries of this text, checked against OnCall's traps and each other."""
    entries = tuple(_entry(part.strip()) for part in text.split(",") if part.strip())
    for entry in entries:
        _check_name(entry)
        for other in entries:
            if other is entry:
                continue
            if other.name == entry.name or other.id == entry.id:
                raise ConfigurationError(f"{VARIABLE}: {entry.name} and {other.name} have the same name or number")
            if entry.slug.startswith(other.slug):
                raise ConfigurationError(
                    f"{VARIABLE}: {entry.name} begins with {other.name}, so OnCall would take its templates for those of "
                    f"{other.name}. Give one of them another name."
                )
    return entries


def _entry(text: str) -> Entry:
    name, _, rest = text.partition(":")
    number, _, rest = rest.partition(":")
    platform, _, label = rest.partition(":")
    if not re.fullmatch(r"[A-Z][A-Z0-9_]*", name) or not number.strip().isdigit():
        raise ConfigurationError(
            f"{VARIABLE}: {text!r} isn't NAME:ID[:PLATFORM[:LABEL]], e.g. CHAT_TELEGRAM:101. The name is in capitals."
        )
    short = name.removeprefix("CHAT_")
    return Entry(
        name=name,
        id=int(number),
        platform=platform.strip() or short.lower(),
        label=label.strip() or short.replace("_", " ").title(),
    )


def _check_name(entry: Entry) -> None:
    if not 0 < entry.id <= MAX_ID:
        raise ConfigurationError(f"{VARIABLE}: the number of {entry.name} must be from 1 to {MAX_ID}")
    if TAKEN_IDS.get(entry.id, entry.name) != entry.name:
        raise ConfigurationError(
            f"{VARIABLE}: {entry.name} has the number {entry.id}, which is OnCall's own {TAKEN_IDS[entry.id]}. Take one from 100 on."
        )
    if entry.name in REPLACED:
        return
    for name in BUILT_IN:
        if entry.slug.startswith(name):
            raise ConfigurationError(
                f"{VARIABLE}: {entry.name} begins with {name.upper()}, which is built into OnCall, so OnCall would take its "
                f"templates for those of {name.upper()}. Call it CHAT_{entry.name.removeprefix('CHAT_')}."
            )


def messaging_backends(text: str, others: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    """What goes into `EXTRA_MESSAGING_BACKENDS` beside those `others`."""
    entries = parse(text)
    ids = {number: path for path, number in others}
    for entry in entries:
        if entry.id in ids:
            raise ConfigurationError(
                f"{VARIABLE}: {entry.name} has the number {entry.id}, which {ids[entry.id]} has, too. If that is OnCall's own "
                "Mattermost, turn it off: FEATURE_MATTERMOST_INTEGRATION_ENABLED=False."
            )
    return [(f"oncall_chatport.backend.{entry.name}", entry.id) for entry in entries]


@cache
def entries() -> tuple[Entry, ...]:
    """The entries of this process."""
    return parse(os.environ.get(VARIABLE, ""))


def entry(name: str) -> Entry | None:
    """The entry of this name."""
    return next((each for each in entries() if each.name == name), None)
