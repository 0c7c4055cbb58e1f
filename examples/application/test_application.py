"""The application is run as a person runs it, who does in the sandbox what it says and presses its buttons."""

import json
import os
import re
import subprocess
import sys
import time
import unittest
import urllib.request
from pathlib import Path

HERE = Path(__file__).parent


class Person:
    """Reads what the application prints, and acts in the sandbox as Ada."""

    def __init__(self, application):
        self._lines = application.stdout
        self._sandbox = None

    def reads(self, pattern):
        """The first line from here on in which this stands."""
        for line in self._lines:
            self._sandbox = self._sandbox or re.search(r"http\S+/in/sandbox/\w+", line)
            if found := re.search(pattern, line):
                return found
        raise AssertionError(f"the application ended without {pattern!r}")

    def ask(self, path, **body):
        data = json.dumps({"as": "ada", **body}).encode() if body else None
        with urllib.request.urlopen(f"{self._sandbox[0]}/{path}", data) as answer:
            return json.load(answer)

    def sees(self, text):
        """The post in which this stands, as soon as it does."""
        end = time.monotonic() + 20
        while time.monotonic() < end:
            for post in self.ask("conversations/incidents/posts")["posts"]:
                if text in json.dumps(post):
                    return post
            time.sleep(0.05)
        raise AssertionError(f"nothing says {text!r}")


class Application(unittest.TestCase):
    def test_it_links_sends_hears_and_answers(self):
        application = subprocess.Popen(
            [sys.executable, HERE / "application.py"], stdout=subprocess.PIPE, text=True, env=os.environ
        )
        self.addCleanup(application.stdout.close)
        self.addCleanup(application.wait)
        self.addCleanup(application.terminate)
        ada = Person(application)
        person, channel = ada.reads(r"Send to .*: (link .*)")[1], ada.reads(r"Send to .*: (link .*)")[1]
        ada.ask("conversations/dm-ada/messages", text=person)
        ada.ask("conversations/incidents/messages", text=channel)
        ada.reads("Heard: channel.linked")
        ada.reads("Sent")
        post = ada.sees("Nobody is on it.")
        self.assertIn("Thank you.", str(ada.ask(f"posts/{post['id']}/press", action="acknowledged")))
        ada.reads("Ada Lovelace pressed acknowledged")
        post = ada.sees("Ada Lovelace is on it.")
        ada.ask(f"posts/{post['id']}/press", action="resolved")
        ada.sees("Ada Lovelace resolved it.")

    def test_the_walk_through_it_shows_its_code(self):
        source = (HERE / "application.py").read_text()
        words = (HERE.parent.parent / "docs/applications.md").read_text()
        walk = re.search(r"^## A whole application\n(.*?)^## ", words, re.DOTALL | re.MULTILINE)[1]
        blocks = re.findall(r"^```python\n(.*?)^```", walk, re.DOTALL | re.MULTILINE)
        self.assertGreater(len(blocks), 3)
        for block in blocks:
            self.assertIn(block, source)


if __name__ == "__main__":
    unittest.main()
