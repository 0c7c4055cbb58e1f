"""The Django app: it hears OnCall's signals once the models are there."""

from django.apps import AppConfig


class OnCallChatportConfig(AppConfig):  # type: ignore[misc]
    name = "oncall_chatport"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from oncall_chatport import links, signals

        signals.connect()
        links.connect()
