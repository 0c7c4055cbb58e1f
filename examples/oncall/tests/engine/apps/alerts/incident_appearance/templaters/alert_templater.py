"""Templates of an alert, by messaging backend. The engine's are Jinja; here `{title}` is filled in."""

from dataclasses import dataclass


@dataclass
class TemplatedAlert:
    title: str | None = None
    message: str | None = None
    image_url: str | None = None


class AlertTemplater:
    def __init__(self, alert):
        self.alert = alert

    def render(self):
        own = (self.alert.group.channel.messaging_backends_templates or {}).get(self._render_for().upper(), {})
        shown = {
            name: own.get(name, f"{{{name}}}").format(**self.alert.raw_request_data) for name in ("title", "message")
        }
        return TemplatedAlert(**shown)
