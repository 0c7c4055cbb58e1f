"""Messaging backends: loaded once from the settings, by dotted path, with their number."""

from django.conf import settings
from django.utils.module_loading import import_string


class BaseMessagingBackend:
    backend_id = "SOMEID"
    label = short_label = "Some"
    available_for_use = False

    def __init__(self, *args, **kwargs):
        self.notification_channel_id = kwargs.get("notification_channel_id")

    @property
    def slug(self):
        return self.backend_id.lower()


_loaded = None


def get_messaging_backends():
    global _loaded
    if _loaded is None:
        made = [
            import_string(path)(notification_channel_id=number) for path, number in settings.EXTRA_MESSAGING_BACKENDS
        ]
        _loaded = {backend.backend_id: backend for backend in made}
    return _loaded.items()


def get_messaging_backend_from_id(backend_id):
    return dict(get_messaging_backends()).get(backend_id)
