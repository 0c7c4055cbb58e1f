"""The running program for the tests: started on a folder and a port of its own, stopped and started again."""

import os
import re
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx

PROGRAM = os.environ["CHATPORT_PROGRAM"]


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Program:
    """Chatport with its sandbox."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port, self.key = folder, free_port(), ""
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        command = [PROGRAM, "serve", "--data", str(self.folder), "--listen", f"127.0.0.1:{self.port}"]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CHATPORT_")}
        with (self.folder.parent / "chatport.log").open("a") as log:
            self.process = subprocess.Popen(
                command, env=environment, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True
            )
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if found := re.search(r"cp_live_\S+", line):
                self.key = found[0]
            if "Three things to try" in line or (self.key and "istens on" in line):
                break
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        for _ in range(200):
            try:
                if httpx.get(f"{self.url}/readyz").status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.05)
        raise AssertionError("Chatport doesn't start")

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(30)
            self.process = None

    def get(self, path: str) -> Any:
        answer = httpx.get(f"{self.url}/v1/{path}", headers={"authorization": f"Bearer {self.key}"})
        answer.raise_for_status()
        return answer.json()


class World:
    """The sandbox of one installation: people write and press there."""

    def __init__(self, address: str) -> None:
        self.address = address

    @classmethod
    def of_steps(cls, steps: list[dict[str, Any]]) -> "World":
        """From the steps of a code, which name the sandbox's page."""
        return cls(re.search(r"http://\S+/in/sandbox/[0-9a-f]+", str(steps))[0])  # type: ignore[index]

    def say(self, person: str, conversation: str, text: str) -> None:
        self._post(f"conversations/{conversation}/messages", {"as": person, "text": text})

    def press(self, person: str, post: dict[str, Any], action: str, choice: str | None = None) -> dict[str, Any]:
        more = {"choice": choice} if choice else {}
        return self._post(f"posts/{post['id']}/press", {"as": person, "action": action} | more)

    def posts(self, conversation: str) -> list[dict[str, Any]]:
        answer = httpx.get(f"{self.address}/conversations/{conversation}/posts")
        answer.raise_for_status()
        posts = answer.json()
        return posts["posts"] if isinstance(posts, dict) else posts

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        answer = httpx.post(f"{self.address}/{path}", json=body)
        answer.raise_for_status()
        return answer.json() if answer.content else None
