"""The page on which a person links an account: OnCall's UI goes there in place of a platform's login.

Its address is signed and lives ten minutes. It asks Chatport for a code when it is opened, and shows the steps that
Chatport gives for the platform; any platform's steps are of the same few kinds.
"""

from typing import Any

from chatport_client import models
from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from oncall_chatport import codes, oncall, registry
from oncall_chatport.registry import Entry

SALT = "oncall_chatport.link"
SECONDS = 600

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>body{{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem}}
code{{background:#8882;padding:.2em .4em;border-radius:4px;overflow-wrap:anywhere}}
:root{{color-scheme:light dark}}</style><h1>{title}</h1>{body}"""


def address(entry: Entry, user: Any) -> str:
    """The address of this user's page for this backend."""
    token = signing.dumps([entry.name, user.pk], salt=SALT)
    path: str = reverse("chatport-link", args=[token])
    return str(settings.BASE_URL).rstrip("/") + path


@never_cache  # type: ignore[untyped-decorator]
@require_GET  # type: ignore[untyped-decorator]
def link_page(_request: HttpRequest, token: str) -> HttpResponse:
    """Show a code and what to do with it."""
    try:
        name, user_pk = signing.loads(token, salt=SALT, max_age=SECONDS)
    except signing.BadSignature:
        return _page("This page has expired", SafeString("<p>Go back to OnCall and begin again.</p>"), 410)
    entry, user = registry.entry(name), oncall.users().filter(pk=user_pk).first()
    if entry is None or user is None:
        return _page("This page has expired", SafeString("<p>Go back to OnCall and begin again.</p>"), 410)
    title = f"Link your account in {entry.label}"
    try:
        code = codes.for_user(entry, user)
    except codes.Refusal as refusal:
        return _page(title, format_html("<p>{}</p>", refusal.detail), refusal.status_code)
    steps = [SafeString(_step(step)) for step in code.steps]
    if code.deep_link:
        steps.insert(0, format_html('<p><a href="{}">Open {} and confirm there</a></p>', code.deep_link, entry.label))
    about = format_html(
        "<p>You are <b>{}</b> in OnCall. This counts once, until {} UTC.</p>", user.username, f"{code.expires_at:%H:%M}"
    )
    return _page(title, about + format_html_join("", "{}", ((step,) for step in steps)), 200)


def _step(step: Any) -> str:
    """One step of Chatport's, by its kind."""
    shown = format_html("<h2>{}{}</h2><p>{}</p>", step.title, " (optional)" if step.optional else "", step.text)
    if isinstance(step, models.OpenLinkStep):
        shown += format_html('<p><a href="{}">{}</a></p>', step.url, step.url)
    elif isinstance(step, models.SendTextStep):
        shown += format_html("<p>Send <code>{}</code> to {}.</p>", step.send.value, step.to)
    elif isinstance(step, models.RunCommandStep):
        shown += format_html("<p><code>{}</code></p>", step.command.value)
    elif isinstance(step, models.CopyValueStep):
        shown += format_html("<p>{}: <code>{}</code></p>", step.label, step.value.value)
    return str(shown)


def _page(title: str, body: SafeString, status: int) -> HttpResponse:
    response = HttpResponse(format_html(PAGE, title=title, body=body), status=status)
    response["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'"
    response["Referrer-Policy"] = "no-referrer"
    return response
