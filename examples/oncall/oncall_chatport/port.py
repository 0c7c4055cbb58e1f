"""The one connection of this process to Chatport, and how its errors are told apart."""

from functools import cache

from chatport_client import Chatport, ChatportError, NoAnswer, Problem, Retries
from django.conf import settings

# Seconds that somebody who waits may wait, and those of a task.
PATIENCE = 5.0
PATIENCE_OF_TASKS = 10.0


@cache
def chatport() -> Chatport:
    """Where somebody waits: with a few quick repetitions. Made at the first use, so after a server has forked."""
    return Chatport(settings.CHATPORT_URL, settings.CHATPORT_TOKEN, timeout=PATIENCE)


@cache
def chatport_of_tasks() -> Chatport:
    """In tasks, which are repeated by Celery."""
    return Chatport(
        settings.CHATPORT_URL, settings.CHATPORT_TOKEN, timeout=PATIENCE_OF_TASKS, retries=Retries(attempts=1)
    )


def may_pass(error: ChatportError) -> bool:
    """Whether the same request may succeed later, with nobody doing anything."""
    if isinstance(error, Problem):
        return error.status >= 500 or error.status == 429
    return isinstance(error, NoAnswer)
