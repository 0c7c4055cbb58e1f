"""Which backends there are: a word in an environment variable, and what that word may be."""

import os
import subprocess
import sys

import pytest

from oncall_chatport import registry
from oncall_chatport.backend import ChatportBackend


def start_engine(backends: str, code: str = "pass") -> subprocess.CompletedProcess[str]:
    program = f"import django; django.setup(); {code}"
    environment = os.environ | {registry.VARIABLE: backends, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run([sys.executable, "-c", program], env=environment, text=True, capture_output=True)


def test_one_more_word_and_a_restart_is_one_more_backend() -> None:
    code = "from apps.base.models import NotificationChannel; print(NotificationChannel(103).name)"
    before = start_engine("MATTERMOST:9,CHAT_TELEGRAM:101", code)
    after = start_engine("MATTERMOST:9,CHAT_TELEGRAM:101,MSTEAMS:103", code)
    assert before.returncode != 0
    assert after.stdout == "MSTEAMS\n", after.stderr


def test_the_engine_starts_while_chatport_is_away() -> None:
    assert start_engine("MATTERMOST:9").returncode == 0  # nothing listens at the CHATPORT_URL of these tests


def test_one_class_serves_every_backend() -> None:
    from oncall_chatport import backend

    made = [getattr(backend, name)(notification_channel_id=id) for name, id in (("MATTERMOST", 9), ("CHAT_PLAY", 101))]
    assert {type(each) for each in made} == {ChatportBackend}
    assert [(each.backend_id, each.slug, each.label, each.notification_channel_id) for each in made] == [
        ("MATTERMOST", "mattermost", "Mattermost", 9),
        ("CHAT_PLAY", "chat_play", "Play", 101),
    ]
    with pytest.raises(AttributeError, match="CHAT_NOTHING isn't an entry"):
        backend.CHAT_NOTHING


def test_each_backend_has_a_templater_of_its_own() -> None:
    from oncall_chatport import backend

    made = [getattr(backend, name)() for name in ("MATTERMOST", "CHAT_PLAY")]
    assert [each.get_templater_class()(None)._render_for() for each in made] == ["mattermost", "chat_play"]
    assert all(each.templater for each in made)  # without, OnCall offers no preview


def test_platform_and_label_can_be_said() -> None:
    (entry,) = registry.parse("MSTEAMS:103:msteams:Microsoft Teams")
    assert (entry.platform, entry.label) == ("msteams", "Microsoft Teams")
    assert registry.parse("CHAT_TELEGRAM:101")[0].platform == "telegram"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("TELEGRAM:101", "Call it CHAT_TELEGRAM"),
        ("WEBEX:101", "begins with WEB, which is built into OnCall"),
        ("ROUTER:101", "begins with ROUTE"),
        ("MATTERMOST_EU:101", "begins with MATTERMOST"),
        ("CHAT_A:101,CHAT_AB:102", "CHAT_AB begins with CHAT_A"),
        ("CHAT_A:101,CHAT_B:101", "same name or number"),
        ("CHAT_A:8", "OnCall's own EMAIL"),
        ("CHAT_A:9", "OnCall's own MATTERMOST"),
        ("CHAT_A:40000", "from 1 to 32767"),
        ("chat_a:101", "in capitals"),
        ("CHAT_A", "isn't NAME:ID"),
    ],
)
def test_what_would_go_wrong_later_is_refused_at_the_start(text: str, words: str) -> None:
    with pytest.raises(registry.ConfigurationError, match=words):
        registry.parse(text)


def test_the_engine_says_so_and_does_not_start() -> None:
    started = start_engine("TELEGRAM:101")
    assert started.returncode != 0
    assert (
        started.stderr.strip()
        .splitlines()[-1]
        .startswith("django.core.exceptions.ImproperlyConfigured: CHATPORT_BACKENDS: TELEGRAM")
    )


def test_the_built_in_mattermost_must_be_off() -> None:
    with pytest.raises(registry.ConfigurationError, match="FEATURE_MATTERMOST_INTEGRATION_ENABLED=False"):
        registry.messaging_backends("MATTERMOST:9", [("apps.mattermost.backend.MattermostBackend", 9)])
