"""Sets a platform up for an organization: each run does what can be done and prints what a person does next."""

import json
import sys
from getpass import getpass
from typing import Any

from chatport_client import ChatportError, models
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse

from oncall_chatport import links, oncall, port, registry
from oncall_chatport.views.events import KINDS


class Command(BaseCommand):  # type: ignore[misc]
    help = "Set up a chat platform of Chatport for an organization. Run it again with what the printed steps ask for."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--organization", required=True, help="its id in OnCall (public primary key)")
        parser.add_argument("--backend", required=True, help=f"an entry of {registry.VARIABLE}, e.g. MATTERMOST")
        parser.add_argument(
            "--setting", action="append", default=[], metavar="NAME=VALUE", help="of a new installation"
        )
        parser.add_argument(
            "--field",
            action="append",
            default=[],
            metavar="NAME[=VALUE]",
            help="of the form shown; asked for without a value",
        )
        parser.add_argument("--new-secret", action="store_true", help="make a new secret for the events")

    def handle(self, **options: Any) -> None:
        entry = registry.entry(options["backend"])
        if entry is None:
            raise CommandError(f"{options['backend']} isn't in {registry.VARIABLE}")
        key = options["organization"]
        organization = oncall.organizations().filter(public_primary_key=key).first()
        if organization is None:
            known = ", ".join(
                f"{each.public_primary_key} ({each.org_title})" for each in oncall.organizations().all()[:20]
            )
            raise CommandError(f"no organization {key}; there are: {known}")
        try:
            self._subscribe(options["new_secret"])
            port.chatport().put_organization(key, models.PutOrganization(name=organization.org_title))
            installation = self._install(organization, entry, _pairs(options["setting"]))
            if options["field"]:
                fields = models.SubmissionFields.from_dict({**_pairs(options["field"])})
                installation = port.chatport().submit_setup(key, installation.id, models.Submission(fields=fields))
            links.take_installation(organization, installation, installation.updated_at, entry.name)
            links.read_everything(organization)
        except ChatportError as error:
            raise CommandError(str(error)) from error
        self._tell(installation, entry)

    def _subscribe(self, new_secret: bool) -> None:
        """One subscription for all organizations; its secret is shown once."""
        url = settings.CHATPORT_EVENTS_URL or str(settings.BASE_URL).rstrip("/") + reverse("chatport-events")
        name, there = settings.CHATPORT_SUBSCRIPTION, port.chatport().list_subscriptions().subscriptions
        is_there = any(each.name == name and each.url == url and set(each.kinds) == set(KINDS) for each in there)
        if is_there and not new_secret:
            return
        wanted = models.PutSubscription(url=url, kinds=KINDS, rotate_secret=new_secret)
        made = port.chatport().put_subscription(name, wanted)
        self.stdout.write(f"Events go to {url}.")
        if made.secret:
            old = settings.CHATPORT_EVENT_SECRET.split()[:1]
            self.stdout.write("Set this and restart the engine; it is shown this once:\n")
            self.stdout.write(f"  CHATPORT_EVENT_SECRET={' '.join([made.secret, *old])!r}\n")

    def _install(self, organization: Any, entry: registry.Entry, given: dict[str, Any]) -> models.Installation:
        key, row = organization.public_primary_key, links.installation_in_any_state(organization, entry.name)
        if row is not None:
            if given:
                raise CommandError(f"{entry.label} is there already ({row.state}); --setting is for a new one")
            return port.chatport().get_installation(key, row.external_id)
        return port.chatport().create_installation(key, models.NewInstallation(backend=entry.platform, settings=given))

    def _tell(self, installation: models.Installation, entry: registry.Entry) -> None:
        self.stdout.write(f"{entry.label}: {installation.state}\n")
        if installation.problem:
            self.stdout.write(f"  {installation.problem.detail} {installation.problem.cure}\n")
        for number, step in enumerate(installation.steps, 1):
            self.stdout.write(f"\n{number}. {step.title}{' (optional)' if step.optional else ''}\n   {step.text}\n")
            for line in _lines(step):
                self.stdout.write(f"   {line}\n")
        if any(isinstance(step, models.FieldsStep) for step in installation.steps):
            self.stdout.write(
                "\nThen run this again with --field NAME for each field; a secret is asked for, not typed here.\n"
            )


def _lines(step: Any) -> list[str]:
    """What a step has beside its text, by its kind."""
    if isinstance(step, models.FieldsStep):
        return [
            f"--field {each.name}: {each.label}{'' if each.required else ' (optional)'}. {each.help_}"
            for each in step.fields
        ]
    if isinstance(step, models.OpenLinkStep):
        return [step.url]
    if isinstance(step, models.CopyValueStep):
        return [f"{step.label}: {step.value.value or '(shown once, before)'}"]
    if isinstance(step, models.RunCommandStep):
        return [str(step.command.value)]
    if isinstance(step, models.SendTextStep):
        return [f"{step.send.value} → {step.to}"]
    return []


def _pairs(texts: list[str]) -> dict[str, Any]:
    """NAME=VALUE, where true, false and numbers are what they look like. Without a value it is asked for."""
    pairs: dict[str, Any] = {}
    for text in texts:
        name, is_given, value = text.partition("=")
        if not is_given:
            value = getpass(f"{name}: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
        try:
            read = json.loads(value)
        except ValueError:
            read = value
        pairs[name] = read if isinstance(read, bool | int) and is_given else value
    return pairs
