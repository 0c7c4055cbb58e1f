"""Signed events, as Chatport posts them."""

import unittest
import uuid
from datetime import UTC, datetime, timedelta

from standardwebhooks.webhooks import Webhook

from chatport_client import NotGenuine, Webhooks, models, parse_event
from receiver import Receiver
from world import World, message


class FromChatport(unittest.TestCase):
    def setUp(self):
        self.receiver = Receiver()
        self.addCleanup(self.receiver.close)
        self.world = World()
        self.addCleanup(self.world.close)
        self.name = f"test-{uuid.uuid4()}"

    def subscribe(self, *kinds):
        subscription = models.PutSubscription(url=self.receiver.url, kinds=list(kinds))
        made = self.world.chatport.put_subscription(self.name, subscription)
        self.addCleanup(self.world.chatport.remove_subscription, self.name)
        return Webhooks(made.secret)

    def test_an_event_is_genuine_and_typed(self):
        webhooks = self.subscribe("message.delivered")
        self.world.chatport.put_message(self.world.organization, "alert", message(1, "Disk full"))
        headers, body = self.receiver.posted.get(timeout=20)
        event = webhooks.event(headers, body)
        self.assertIsInstance(event, models.MessageDeliveredEvent)
        self.assertEqual((event.data.message, event.data.copy.state), ("alert", "delivered"))
        self.assertEqual(event.id, headers["webhook-id"])

    def test_while_a_secret_is_rotated_both_are_good(self):
        before = self.subscribe("message.delivered")
        rotated = models.PutSubscription(url=self.receiver.url, kinds=["message.delivered"], rotate_secret=True)
        after = Webhooks(self.world.chatport.put_subscription(self.name, rotated).secret)
        self.world.chatport.put_message(self.world.organization, "alert", message(1, "Disk full"))
        headers, body = self.receiver.posted.get(timeout=20)
        self.assertEqual(before.event(headers, body), after.event(headers, body))

    def test_a_press_is_answered_with_a_notice_and_new_content(self):
        webhooks = self.subscribe("action.invoked")

        def answer(headers, body):
            event = webhooks.event(headers, body)
            assert isinstance(event, models.ActionInvokedEvent)
            content = models.ContentInput(state="acknowledged", title=f"{event.data.user} is on it")
            revision = event.data.revision + 1
            return 200, models.EventReply(notice="Noted.", content=content, revision=revision).to_dict()

        self.receiver.answer = answer
        self.world.chatport.put_message(self.world.organization, "alert", message(1, "Disk full"))
        pressed = self.world.press(self.world.post("Disk full"))
        self.assertIn("Noted.", str(pressed))
        self.world.post("u-42 is on it")
        self.assertEqual(self.world.chatport.get_message(self.world.organization, "alert").revision, 2)


class Signatures(unittest.TestCase):
    SECRET = "whsec_" + "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
    BODY = (
        '{"id":"01","type":"account.renamed","organization":"acme","timestamp":"2026-01-01T00:00:00Z","data":{"a":1}}'
    )

    def headers(self, age=timedelta(), secret=SECRET):
        at = datetime.now(UTC) - age
        signature = Webhook(secret).sign("01", at, self.BODY)
        return {
            "Webhook-Id": "01",
            "Webhook-Timestamp": str(int(at.timestamp())),
            "Webhook-Signature": signature,
        }

    def test_a_good_one_passes_whatever_the_case_of_the_headers(self):
        event = Webhooks(self.SECRET).event(self.headers(), self.BODY.encode())
        self.assertEqual(event.organization, "acme")

    def test_others_are_refused(self):
        other = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="
        good, webhooks = self.headers(), Webhooks(self.SECRET)
        wrong = {
            "old": self.headers(age=timedelta(minutes=6)),
            "from the future": self.headers(age=timedelta(minutes=-6)),
            "of another secret": self.headers(secret=other),
            "under another id": good | {"Webhook-Id": "02"},
            "no signature": {name: value for name, value in good.items() if name != "Webhook-Signature"},
            "not a signature": good | {"Webhook-Signature": "nonsense"},
            "no time": good | {"Webhook-Timestamp": "now"},
        }
        for name, headers in wrong.items():
            with self.subTest(name), self.assertRaises(NotGenuine):
                webhooks.event(headers, self.BODY.encode())
        with self.assertRaises(NotGenuine):
            webhooks.event(good, self.BODY.replace("acme", "evil").encode())
        with self.assertRaises(NotGenuine):
            webhooks.event(good, b"\xff")

    def test_an_event_of_a_kind_that_is_new_is_handed_on(self):
        event = Webhooks(self.SECRET).event(self.headers(), self.BODY.encode())
        self.assertIsInstance(event, models.UnknownEvent)
        self.assertEqual((event.type_, event.data), ("account.renamed", {"a": 1}))

    def test_every_kind_in_the_description_has_a_class(self):
        kinds = models.EventKind.__args__
        shape = {"id": "01", "organization": "acme", "timestamp": "2026-01-01T00:00:00Z"}
        for kind in kinds:
            name = "".join(word.capitalize() for word in kind.split(".")) + "Event"
            with self.subTest(kind):
                self.assertTrue(hasattr(models, name))
        self.assertIsInstance(parse_event(shape | {"type": "some.thing", "data": None}), models.UnknownEvent)


if __name__ == "__main__":
    unittest.main()
