"""Takes an organization away from Chatport: what is set up on its platforms, its links, channels and messages."""

from typing import Any

from chatport_client import ChatportError, NotFound
from django.core.management.base import BaseCommand, CommandError, CommandParser

from oncall_chatport import port
from oncall_chatport.models import Installation

# Each of its platforms is told; seconds.
PATIENCE = 120.0


class Command(BaseCommand):  # type: ignore[misc]
    help = "Take everything of an organization away from Chatport, e.g. after it was deleted in OnCall."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--organization", required=True, help="its id in OnCall (public primary key)")

    def handle(self, **options: Any) -> None:
        key = options["organization"]
        # By our own rows: OnCall's manager leaves out the organizations that were deleted.
        rows = Installation.objects.filter(organization__public_primary_key=key)
        if not rows.exists():
            raise CommandError(f"nothing is set up at Chatport for {key}")
        try:
            port.chatport().delete_organization(key, timeout=PATIENCE)
        except NotFound:
            self.stdout.write("It was gone from Chatport already.\n")
        except ChatportError as error:
            raise CommandError(str(error)) from error
        rows.delete()
        self.stdout.write(f"{key} is gone from Chatport; its posts stay where they are.\n")
