"""The engine's settings with the add-on's: `DJANGO_SETTINGS_MODULE=oncall_chatport.settings`.

Everything of the module that `CHATPORT_ENGINE_SETTINGS` names (the engine's own, as it was before) holds on, and what
the add-on needs comes on top.
"""

import importlib
import os
from typing import Any

from celery.schedules import crontab
from django.core.exceptions import ImproperlyConfigured

from oncall_chatport import registry

_engine = importlib.import_module(os.environ.get("CHATPORT_ENGINE_SETTINGS", "settings.prod_without_db"))
globals().update({name: getattr(_engine, name) for name in dir(_engine) if name.isupper()})


def _of_engine(name: str, default: Any) -> Any:
    return getattr(_engine, name, default)


CHATPORT_URL = os.environ.get("CHATPORT_URL", "http://127.0.0.1:8000")
CHATPORT_TOKEN = os.environ.get("CHATPORT_TOKEN", "")
# The secret that signs events; while it is being replaced two, with a space between.
CHATPORT_EVENT_SECRET = os.environ.get("CHATPORT_EVENT_SECRET", "")
CHATPORT_SUBSCRIPTION = os.environ.get("CHATPORT_SUBSCRIPTION", "oncall")
# Where Chatport posts its events to, if that isn't below BASE_URL.
CHATPORT_EVENTS_URL = os.environ.get("CHATPORT_EVENTS_URL", "")

INSTALLED_APPS = [*_of_engine("INSTALLED_APPS", []), "oncall_chatport"]
CHATPORT_ENGINE_URLCONF = _of_engine("ROOT_URLCONF", "engine.urls")
ROOT_URLCONF = "oncall_chatport.urls"

try:
    EXTRA_MESSAGING_BACKENDS = [
        *_of_engine("EXTRA_MESSAGING_BACKENDS", []),
        *registry.messaging_backends(os.environ.get(registry.VARIABLE, ""), _of_engine("EXTRA_MESSAGING_BACKENDS", [])),
    ]
except registry.ConfigurationError as error:
    raise ImproperlyConfigured(str(error)) from None

# On queues that OnCall's workers serve already: that of its notifications, and that of what may wait.
CELERY_TASK_ROUTES = {
    **_of_engine("CELERY_TASK_ROUTES", {}),
    "oncall_chatport.tasks.send_notification": {"queue": "critical"},
    **{
        f"oncall_chatport.tasks.{name}": {"queue": "default"}
        for name in ("refresh_alert_group", "delete_messages", "read_everything_again", "read_organization")
    },
}
CELERY_BEAT_SCHEDULE = {
    **_of_engine("CELERY_BEAT_SCHEDULE", {}),
    "oncall_chatport_nightly": {
        "task": "oncall_chatport.tasks.read_everything_again",
        "schedule": crontab(hour="3", minute="17"),
        "args": (),
    },
}
