"""Tests without a daemon and without a network.

    from django_curlew.testing import override_curlew

    class PricesTest(TestCase):
        @override_curlew()
        def test_a_price(self, curlew):
            curlew.on("https://api.example/price/*", json={"price": 7})
            self.assertContains(self.client.get("/basket"), "7")
            self.assertEqual(curlew.requests[0]["url"], "https://api.example/price/1")

override_curlew is a `with` block, and a decorator of test functions, coroutines and classes (whose
methods have the stub as `self.curlew`). A fetch that no response is defined for raises Unexpected,
an AssertionError. Retries are made, without their waits. A request that the daemon would refuse
fails as it does there.

    @override_curlew(tape="tests/tapes/basket.json")

records the responses of a real daemon if the file does not exist (or CURLEW_RECORD=1 is set in the
environment), and plays them otherwise: see tape.py.

    CURLEW = {"FORBID_UNSTUBBED": True}     # in the settings of the tests

makes each fetch without a stub raise Unstubbed, an AssertionError. pytest_plugin.py does this for
pytest, where the test fails also if the code that it tests catches the exception.

It works for sessions, gather, streams, handoffs and both adapters, sync and async.
"""

from ..daemon.unstubbed import Unstubbed
from .override import override_curlew
from .stub import Stub, Unexpected
from .tape import Tape, TapeError

__all__ = ["Stub", "Tape", "TapeError", "Unexpected", "Unstubbed", "override_curlew"]
