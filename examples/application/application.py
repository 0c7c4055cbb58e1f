#!/usr/bin/env python3
"""The smallest useful application: it tells people of an incident, and hears what they press.

    pip install ./examples/clients/python
    CHATPORT_KEY=cp_live_… python3 examples/application/application.py

Chatport must run on the same machine, as `cargo run --release` starts it. docs/applications.md walks through this file.
"""

import json
import os
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from queue import Queue

from chatport_client import Chatport, NotGenuine, Webhooks, models

CHATPORT = os.environ.get("CHATPORT_URL", "http://127.0.0.1:8000")
KEY = os.environ["CHATPORT_KEY"]
BACKEND = "sandbox"
SHOP, USER, INCIDENT = "shop", "u-42", "incident-1"  # the application's own ids


def set_up(chatport):
    """The tenant, with a chat platform. The sandbox is ready at once; others have steps for a person."""
    chatport.put_organization(SHOP, models.PutOrganization(name="The shop"))
    installations = chatport.list_installations(SHOP, backend=BACKEND).items
    if installations:
        return installations[0]
    return chatport.create_installation(SHOP, models.NewInstallation(backend=BACKEND))


def link(chatport, installation, **what):
    """Shows how a code is entered; steps look the same for every platform."""
    new = models.NewCode(installation=installation.id, **what)
    for step in chatport.create_verification_code(SHOP, new).steps:
        print(f"{step.title}. {step.text}")
        match step:
            case models.SendTextStep():
                print(f"  Send to {step.to}: {step.send.value}", flush=True)
            case models.RunCommandStep():
                print(f"  {step.command.value}", flush=True)
            case models.OpenLinkStep():
                print(f"  {step.url}", flush=True)


def content(state, by=None):
    """What the message says, and what can be pressed."""
    texts = {"firing": "Nobody is on it.", "acknowledged": f"{by} is on it.", "resolved": f"{by} resolved it."}
    acknowledge = models.ActionInput(id="acknowledged", label="Acknowledge", style="primary")
    resolve = models.ActionInput(id="resolved", label="Resolve")
    actions = {"firing": [acknowledge, resolve], "acknowledged": [resolve], "resolved": []}[state]
    return models.ContentInput(state=state, title="The till is down", text=texts[state], actions=actions)


def send(chatport):
    """The incident as it is now. The revision grows with the time."""
    message = models.PutMessageInput(
        revision=int(time.time() * 1000), targets=[models.DefaultTarget(default=True)], content=content("firing")
    )
    chatport.put_message(SHOP, INCIDENT, message)


def answer(event):
    """What the presser sees at once: a notice for them alone, and the message as it is from now on."""
    who = event.data.account.display_name
    print(f"{who} pressed {event.data.action}", flush=True)
    return models.EventReply(
        notice="Thank you.", content=content(event.data.action, who), revision=int(time.time() * 1000)
    )


def receiver(heard):
    """Listens for signed events on a free port; the secret is set as soon as there is one."""

    class Receiver(BaseHTTPRequestHandler):
        webhooks = None

        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            try:
                event = self.webhooks.event(self.headers, body)
            except NotGenuine:
                return self.reply(401, {})
            if event.organization == SHOP and isinstance(event, models.ActionInvokedEvent):
                return self.reply(200, answer(event).to_dict())
            self.reply(200, {})
            heard.put(event)

        def reply(self, status, document):
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    return HTTPServer(("127.0.0.1", 0), Receiver)


def main():
    chatport, heard = Chatport(CHATPORT, KEY), Queue()
    server = receiver(heard)
    url = f"http://127.0.0.1:{server.server_port}/"
    subscription = models.PutSubscription(url=url, kinds=[], rotate_secret=True)
    server.RequestHandlerClass.webhooks = Webhooks(chatport.put_subscription("application", subscription).secret)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    installation = set_up(chatport)
    if not chatport.list_accounts(SHOP, user=USER).items:
        link(chatport, installation, purpose="user", user=USER)
    if not chatport.list_channels(SHOP).items:
        link(chatport, installation, purpose="channel")
    while not (chatport.list_accounts(SHOP, user=USER).items and chatport.list_channels(SHOP).items):
        print(f"Heard: {heard.get().type_}", flush=True)
    send(chatport)
    print("Sent. Press the buttons; Ctrl-C ends.", flush=True)
    while True:
        print(f"Heard: {heard.get().type_}", flush=True)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
