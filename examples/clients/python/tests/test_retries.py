"""What is repeated and what isn't, against a stand-in that answers as it is told."""

import unittest

from chatport_client import Chatport, NoAnswer, Problem, Refused, Retries, Unavailable, UnexpectedAnswer, models
from standin import StandIn, problem
from world import message

ACCEPTED = (202, {"key": "alert", "revision": 1, "changed": True, "copies": []}, {})


class Retrying(unittest.TestCase):
    def client(self, *answers, **options):
        self.stand_in = StandIn(*answers)
        self.addCleanup(self.stand_in.close)
        self.waits = []
        chatport = Chatport(self.stand_in.url, "key", sleep=self.waits.append, **options)
        self.addCleanup(chatport.close)
        return chatport

    def test_a_message_is_put_again_with_the_same_key_and_revision(self):
        chatport = self.client(problem("commit-unknown", 503, 2), None, ACCEPTED)
        accepted = chatport.put_message("acme", "alert", message(1, "Disk full"))
        self.assertEqual(accepted.revision, 1)
        self.assertEqual(len(self.stand_in.requests), 3)
        self.assertEqual(len(set(self.stand_in.requests)), 1)
        self.assertEqual(self.stand_in.requests[0][:2], ("PUT", "/v1/organizations/acme/messages/alert"))

    def test_it_waits_as_long_as_it_is_told(self):
        chatport = self.client(problem("backlog-full", 429, 3), ACCEPTED)
        chatport.put_message("acme", "alert", message(1, "Disk full"))
        self.assertEqual(self.waits, [3.0])

    def test_the_waits_grow(self):
        chatport = self.client(*[problem("unavailable", 503)] * 4)
        with self.assertRaises(Unavailable):
            chatport.put_message("acme", "alert", message(1, "Disk full"))
        self.assertEqual(len(self.waits), 3)
        for wait, longest in zip(self.waits, (0.25, 0.5, 1.0)):
            self.assertTrue(longest / 2 <= wait <= longest, self.waits)

    def test_it_gives_up_at_once_where_the_wait_is_longer_than_the_time(self):
        chatport = self.client(problem("storage-low", 503, 60))
        with self.assertRaises(Unavailable) as caught:
            chatport.put_message("acme", "alert", message(1, "Disk full"), timeout=5)
        self.assertEqual((caught.exception.slug, caught.exception.retry_after), ("storage-low", 60.0))
        self.assertEqual(self.waits, [])

    def test_what_is_made_anew_each_time_is_not_repeated_after_it_may_have_happened(self):
        code = models.NewCode(purpose="channel", backend="sandbox")
        for answer, error in ((None, NoAnswer), (problem("unavailable", 503, 1), Unavailable)):
            chatport = self.client(answer)
            with self.assertRaises(error):
                chatport.create_verification_code("acme", code)
            self.assertEqual(len(self.stand_in.requests), 1)

    def test_nor_is_what_tells_a_secret_once(self):
        chatport = self.client(None)
        with self.assertRaises(NoAnswer) as caught:
            chatport.put_subscription("oncall", models.PutSubscription(url="http://127.0.0.1:9/", rotate_secret=True))
        self.assertTrue(caught.exception.may_have_happened)

    def test_anything_is_repeated_after_nothing_has_happened(self):
        key = {"keys": []}
        chatport = self.client(problem("overloaded", 503, 1), (200, {"previews": []}, {}), (200, key, {}))
        content = models.ContentInput(title="Disk full")
        self.assertEqual(chatport.preview_message("acme", models.PreviewRequest(content=content)).previews, [])
        self.assertEqual(self.waits, [1.0])

    def test_what_is_wrong_is_not_repeated(self):
        chatport = self.client(problem("invalid-body", 422))
        with self.assertRaises(Refused):
            chatport.put_message("acme", "alert", message(1, "Disk full"))
        self.assertEqual(len(self.stand_in.requests), 1)

    def test_nobody_there_is_no_answer(self):
        chatport = self.client()
        self.stand_in.close()
        with self.assertRaises(NoAnswer) as caught:
            chatport.list_backends()
        self.assertFalse(caught.exception.may_have_happened)
        self.assertEqual(len(self.waits), 3)

    def test_retries_can_be_switched_off(self):
        chatport = self.client(problem("unavailable", 503, 1), retries=Retries(attempts=1))
        with self.assertRaises(Unavailable):
            chatport.list_backends()

    def test_what_others_on_the_way_say_is_told_apart(self):
        chatport = self.client((418, "no problem document", {}), (200, "nor an answer", {}))
        with self.assertRaises(Problem) as caught:
            chatport.list_backends()
        self.assertEqual((caught.exception.status, caught.exception.details.type_), (418, "about:blank"))
        with self.assertRaises(UnexpectedAnswer):
            chatport.list_backends()


if __name__ == "__main__":
    unittest.main()
