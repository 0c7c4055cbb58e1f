"""What the tests have to do with: a running Chatport, an organization with a sandbox, and what people do in it."""

import json
import os
import re
import time
import urllib.request
import uuid

from chatport_client import Chatport, models

URL = os.environ["CHATPORT_URL"]
KEY = os.environ["CHATPORT_KEY"]


def eventually(look, seconds=20):
    """What `look` gives as soon as it gives something."""
    end = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > end:
            raise AssertionError("it didn't happen in time")
        time.sleep(0.05)
    return found


def message(revision, title, **more):
    """A message to the default channel, with a button."""
    content = models.ContentInput(
        state="firing", title=title, actions=[models.ActionInput(id="ack", label="Acknowledge")]
    )
    targets = [models.DefaultTarget(default=True)]
    return models.PutMessageInput(revision=revision, targets=targets, content=content, **more)


class World:
    """An organization of its own, with a sandbox in which Ada is the user `u-42` and `incidents` is connected."""

    def __init__(self):
        self.chatport = Chatport(URL, KEY)
        self.organization = f"test-{uuid.uuid4()}"
        self.chatport.put_organization(self.organization, models.PutOrganization(name="Test"))
        installation = models.NewInstallation(backend="sandbox")
        self.installation = self.chatport.create_installation(self.organization, installation)
        user = self.code(purpose="user", user="u-42")
        self.sandbox = re.search(r"http\S+/in/sandbox/\w+", user.steps[0].text)[0]
        self.say("dm-ada", user.steps[0].send.value)
        self.say("incidents", self.code(purpose="channel").steps[0].send.value)

    def code(self, **what):
        new = models.NewCode(installation=self.installation.id, **what)
        return self.chatport.create_verification_code(self.organization, new)

    def say(self, conversation, text, person="ada"):
        return self._ask(f"conversations/{conversation}/messages", {"as": person, "text": text})

    def posts(self):
        return self._ask("conversations/incidents/posts")["posts"]

    def post(self, title):
        """The post with this title, as soon as it stands there."""
        return eventually(lambda: next((post for post in self.posts() if title in json.dumps(post)), None))

    def press(self, post, person="ada", action="ack"):
        return self._ask(f"posts/{post['id']}/press", {"as": person, "action": action})

    def _ask(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(f"{self.sandbox}/{path}", data) as answer:
            return json.load(answer)

    def close(self):
        self.chatport.delete_organization(self.organization)
        self.chatport.close()
