"""A Chatport backend for ntfy (https://docs.ntfy.sh/publish/) as a process of its own, with
Python's standard library alone."""

import email.utils, json, os, socket, time, urllib.error, urllib.request

from remote import Failure, SetupError, serve

NTFY = os.environ.get("NTFY_SERVER", "https://ntfy.sh").rstrip("/")
MOST = 4000  # bytes of a message
SIGNS = {"firing": "🔴", "acknowledged": "🟡", "silenced": "⚪", "resolved": "🟢", "info": "🔵"}
DESCRIPTOR = {
    "id": "ntfy", "name": "ntfy", "description": "Notifications in topics of an ntfy server.", "contract": 1,
    "parts": {"install": True, "deliver": True},  # ntfy can't edit: Chatport posts what is new beneath
    "limits": {"unit": "bytes", "text": MOST, "actions": 0, "choices": 0, "threads": False},
    "settings": {"type": "object", "additionalProperties": False},
    "tokens": [{"name": "access_token", "origin": "person"}],
    "rates": [{"name": "server", "per": "origin", "per_second": 2, "burst": 60}],
}


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def wait_of(header):
    """Seconds, or a date (RFC 9110)."""
    try:
        date = None if header.isdigit() else email.utils.parsedate_to_datetime(header).timestamp()
        return int(header) if date is None else max(0, round(date - time.time()))
    except (TypeError, ValueError):
        return None


def call(path, token, body=None):
    """Call ntfy. Only what certainly never left this process is `unreachable`."""
    headers = {"authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(NTFY + path, body and json.dumps(body).encode(), headers)
    try:
        with urllib.request.build_opener(NoRedirect).open(request, timeout=12) as answer:
            return dict(json.load(answer))  # nothing else is an answer of ntfy
    except urllib.error.HTTPError as error:
        causes = {401: "unauthorized", 403: "permission_denied", 429: "rate_limited", 503: "unavailable"}
        other = "redirect_refused" if error.code < 400 else "content_rejected" if error.code < 500 else "no_answer"
        wait = wait_of(error.headers.get("retry-after", ""))
        raise Failure(causes.get(error.code, other), f"ntfy answered {error.code}", wait)
    except urllib.error.URLError as error:
        unsent = isinstance(error.reason, (ConnectionRefusedError, socket.gaierror))
        raise Failure("unreachable" if unsent else "no_answer", f"no connection to ntfy: {type(error.reason).__name__}")
    except (OSError, TypeError, ValueError) as error:
        raise Failure("no_answer", f"no usable answer of ntfy: {type(error).__name__}")


def token_of(site):
    return next((token["value"] for token in site["tokens"]), None)


def begin(_site, _):
    field = {"name": "access_token", "label": "Access token", "kind": "secret", "required": False,
             "help": "Under *Account → Access tokens*; none for topics that are open to all."}
    step = {"id": "token", "title": "Fill in the access token", "kind": "fields", "fields": [field]}
    return {"stage": "token", "steps": [step]}


def submit(site, arguments):
    if site["stage"] != "token":
        raise SetupError("wrong_stage", detail="setup isn't waiting for anything")
    token = arguments["fields"].get("access_token")
    try:
        account = call("/v1/account", token)["username"]
    except Failure as failure:
        if failure.told["cause"] != "unauthorized":
            raise
        raise SetupError("field", name="access_token", detail="ntfy refuses this token")
    tokens = [{"kind": "access_token", "value": token}] if token else []
    identity = {"server": NTFY, "account": account, "display_name": f"ntfy ({account})"}
    return {"stage": "installed", "installed": identity, "tokens": tokens}


def probe(site, _):
    try:
        return {"can_post": True, "can_receive": False, "identity": call("/v1/account", token_of(site))["username"]}
    except Failure as failure:
        away = failure.told["cause"] in ("unreachable", "no_answer", "unavailable")
        missing = "ntfy can't be reached" if away else failure.told["detail"]  # why is for the log alone
        return {"can_post": False, "can_receive": False, "missing": [missing]}


def render(_site, arguments):
    content = arguments["content"]
    title = " ".join(filter(None, [SIGNS.get(content.get("state")), content.get("title")]))
    facts = [f"{fact['name']}: {fact['value']}" for fact in content.get("facts", [])]
    text = "\n".join(filter(None, [content.get("text"), *facts])) or title
    most = min(MOST, arguments["limits"]["text"])
    payload = {"title": title, "message": text.encode()[:most].decode(errors="ignore"), "markdown": True}
    if "link" in content:
        payload["click"] = content["link"]["url"]
    notes = [{"code": "trimmed", "detail": "the text was too long"}] if len(text.encode()) > most else []
    if content.get("actions"):
        notes.append({"code": "actions_dropped", "detail": "ntfy can't say who presses a button"})
    return {"parts": [{"payload": payload}], "notes": notes}


def post(site, arguments):
    outgoing = arguments["outgoing"]
    priority = {"low": 2, "normal": 3, "urgent": 5}[outgoing["urgency"]]
    message = outgoing["part"]["payload"] | {"topic": outgoing["address"]["key"], "priority": priority}
    answer = call("/", token_of(site), message)
    if not isinstance(answer.get("id"), str):
        raise Failure("no_answer", "ntfy's answer names no message")
    return {"id": answer["id"]}


if __name__ == "__main__":
    nothing = lambda *_: None
    serve({"descriptor": lambda *_: DESCRIPTOR, "install/check": nothing, "install/begin": begin,
           "install/submit": submit, "install/reauthorize": begin, "install/probe": probe, "install/remove": nothing,
           "delivery/render": render, "delivery/post": post})
