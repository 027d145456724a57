"""Tests without a daemon and without a network.

    from django_curlew.testing import override_curlew

    class PricesTest(TestCase):
        @override_curlew()
        def test_a_price(self, curlew):
            curlew.on("https://api.example/price/*", json={"price": 7})
            self.assertContains(self.client.get("/basket"), "7")
            self.assertEqual(curlew.requests[0]["url"], "https://api.example/price/1")

A `with` block, a decorator of test functions, coroutines, and of classes (whose methods then find
it as `self.curlew`). A fetch that nothing was said for fails the test: it raises Unexpected, an
AssertionError, in the view.

    @override_curlew(tape="tests/tapes/basket.json")

records what a real daemon answers where the tape is not there (or CURLEW_RECORD=1 is in the
environment) and replays it otherwise: see tape.py.

Sessions, gather, streams, hand-offs and both adapters are served, sync and async.
"""

from .override import override_curlew
from .stub import Stub, Unexpected
from .tape import Tape, TapeError

__all__ = ["Stub", "Tape", "TapeError", "Unexpected", "override_curlew"]
