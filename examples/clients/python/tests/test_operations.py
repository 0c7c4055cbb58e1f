"""The operations, against a running Chatport."""

import unittest
from datetime import UTC, datetime, timedelta

from chatport_client import Chatport, Conflict, NotFound, Refused, TooManyRequests, Unauthorized, models
from world import URL, World, eventually, message


class Operations(unittest.TestCase):
    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.close)
        self.chatport, self.organization = self.world.chatport, self.world.organization

    def copy(self, key):
        return self.chatport.get_message(self.organization, key).copies[0]

    def test_a_person_and_a_channel_are_linked_by_codes(self):
        [link] = self.chatport.list_accounts(self.organization, user="u-42").items
        self.assertEqual((link.account.id, link.installation), ("ada", self.world.installation.id))
        [channel] = self.chatport.list_channels(self.organization).items
        self.assertEqual((channel.name, channel.is_default, channel.status), ("incidents", True, "active"))

    def test_setup_steps_and_the_catalogue_are_typed(self):
        [sandbox] = [backend for backend in self.chatport.list_backends().backends if backend.id == "sandbox"]
        self.assertTrue(sandbox.parts.deliver and sandbox.parts.commands)
        steps = self.world.code(purpose="channel").steps
        self.assertEqual([type(step) for step in steps], [models.SendTextStep, models.RunCommandStep])
        self.assertTrue(steps[0].send.secret)

    def test_a_message_is_shown_changed_and_taken_away(self):
        accepted = self.chatport.put_message(self.organization, "alert", message(1, "Disk full"))
        self.assertEqual((accepted.revision, len(accepted.copies)), (1, 1))
        self.world.post("Disk full")
        changed = message(2, "Disk is fine", final=True, log=[models.LogLine(id="1", text="Cleaned up")])
        self.chatport.put_message(self.organization, "alert", changed)
        self.world.post("Disk is fine")
        eventually(lambda: self.copy("alert").state == "delivered")
        self.chatport.delete_message(self.organization, "alert")
        eventually(lambda: self.copy("alert").state == "removed")

    def test_the_same_revision_with_other_content_is_a_conflict(self):
        self.chatport.put_message(self.organization, "alert", message(1, "One"))
        again = self.chatport.put_message(self.organization, "alert", message(1, "One"))
        self.assertEqual(again.revision, 1)
        with self.assertRaises(Conflict) as caught:
            self.chatport.put_message(self.organization, "alert", message(1, "Other"))
        self.assertEqual(caught.exception.slug, "revision-conflict")
        self.assertTrue(caught.exception.details.cure and caught.exception.request_id)

    def test_what_is_wrong_is_a_typed_problem(self):
        with self.assertRaises(NotFound) as caught:
            self.chatport.get_message(self.organization, "unknown")
        self.assertEqual(caught.exception.details.type_, "/problems/message-not-found")
        wrong = message(1, "Wrong")
        wrong.content.actions[0].id = ""
        with self.assertRaises(Refused) as caught:
            self.chatport.put_message(self.organization, "alert", wrong)
        self.assertEqual(caught.exception.details.pointer, "/content/actions/0/id")
        with self.assertRaises(Unauthorized), Chatport(URL, "cp_live_wrong") as stranger:
            stranger.list_backends()

    def test_a_wait_that_is_too_long_is_told_instead_of_waited_for(self):
        with self.assertRaises(TooManyRequests) as caught:
            for _ in range(6):
                self.world.code(purpose="user", user="u-43")
        self.assertGreater(caught.exception.retry_after, 10)

    def test_every_page_of_a_list_is_read(self):
        long_ago = datetime.now(UTC) - timedelta(days=1)
        for _ in range(5):
            self.chatport.create_installation(self.organization, models.NewInstallation(backend="sandbox"))
        found = self.chatport.every(
            self.chatport.list_installations, self.organization, limit=2, updated_after=long_ago
        )
        self.assertEqual(len({installation.id for installation in found}), 6)

    def test_events_are_read_as_typed_objects(self):
        self.chatport.put_message(self.organization, "alert", message(1, "Press me"))
        self.world.press(self.world.post("Press me"))
        events, after = [], 0
        while page := self.chatport.read_events(after=after):
            events += [event for event in page.items if event.organization == self.organization]
            after = page.next_
            if len(page.items) < 200:
                break
        kinds = [event.type_ for event in events]
        self.assertEqual(kinds[:3], ["installation.activated", "account.linked", "channel.linked"])
        [pressed] = [event for event in events if isinstance(event, models.ActionInvokedEvent)]
        self.assertEqual((pressed.data.action, pressed.data.user, pressed.data.message), ("ack", "u-42", "alert"))


if __name__ == "__main__":
    unittest.main()
