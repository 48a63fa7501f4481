"""A REST host asked within its limits."""

import asyncio

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foreshock_kit import http
from foreshock_kit.backoff import Backoff
from foreshock_kit.errors import Permanent, Refused, Transient
from foreshock_kit.http import Budget, HttpClient
from foreshock_kit.testing import FakeClock


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    """Between tries there is no waiting here; how long it would be is the client's choice."""
    monkeypatch.setattr(http, "_BACKOFF", Backoff(first_s=0.0))


class Host:
    """Answers in turn as it is told; an exception is no answer."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []

    def __call__(self, request):
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def client(host, clock=None, weight=100):
    return HttpClient(
        "https://venue.example",
        budget_weight=weight,
        budget_window_s=60.0,
        used_header="X-Used",
        clock=clock or FakeClock(),
        transport=httpx.MockTransport(host),
    )


def answer(status=200, text="{}", **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, text=text, headers=named)


async def test_a_good_answer_is_its_body():
    host = Host(answer(text='{"a":1}'))
    async with client(host) as asking:
        assert await asking.get("/path", {"symbol": "BTC"}) == b'{"a":1}'
    assert str(host.asked[0].url) == "https://venue.example/path?symbol=BTC"


@pytest.mark.parametrize(
    "first",
    [
        answer(500),
        answer(503),
        httpx.ReadTimeout("slow"),
        httpx.DecodingError("broken gzip"),
        httpx.TooManyRedirects("in circles"),
    ],
)
async def test_trouble_is_tried_again(first):
    host = Host(first, answer(text="good"))
    async with client(host) as asking:
        assert await asking.get("/path", {}) == b"good"
    assert len(host.asked) == 2


async def test_three_tries_are_enough():
    host = Host(answer(500))
    async with client(host) as asking:
        with pytest.raises(Transient, match=r"venue.example/path answered 500 \(3 tries\)"):
            await asking.get("/path", {})
    assert len(host.asked) == 3


async def test_a_wrong_request_is_not_tried_again():
    host = Host(answer(400, "Invalid symbol"))
    async with client(host) as asking:
        with pytest.raises(Permanent, match="answered 400: Invalid symbol"):
            await asking.get("/path", {})
    assert len(host.asked) == 1


@pytest.mark.parametrize(
    ("refusal", "wait_s"),
    [(answer(429, retry_after="7"), 7), (answer(418), 60), (answer(403, retry_after="x"), 60)],
)
async def test_a_refusal_opens_the_circuit_for_as_long_as_the_venue_asks(refusal, wait_s):
    host, clock = Host(refusal, answer(text="good")), FakeClock()
    async with client(host, clock) as asking:
        with pytest.raises(Refused) as caught:
            await asking.get("/path", {})
        assert (caught.value.status, caught.value.retry_after_s) == (refusal.status_code, wait_s)
        clock.advance(wait_s - 1)
        with pytest.raises(Refused, match="left alone for 1 s more"):
            await asking.get("/path", {})
        assert len(host.asked) == 1, "no packet while the circuit is open"
        clock.advance(1)
        assert await asking.get("/path", {}) == b"good"


async def spent(budget, clock, *weights):
    """Spend weights; return the window in which each was spent."""
    windows = []
    for weight in weights:
        await budget.spend(weight, clock)
        windows.append(clock.now_ms() // 60_000)
    return windows


@pytest.fixture
def skipping(monkeypatch):
    """Let waits pass on the fake clock instead of ours."""
    clock = FakeClock(now_ms=60_000)

    async def sleep(seconds):
        clock.advance(seconds)

    monkeypatch.setattr(http.asyncio, "sleep", sleep)
    return clock


async def test_what_does_not_fit_waits_for_the_next_window(skipping):
    assert await spent(Budget(10, 60.0), skipping, 6, 4, 1, 9, 1) == [1, 1, 2, 2, 3]


async def test_what_costs_more_than_a_window_has_one_for_itself(skipping):
    assert await spent(Budget(10, 60.0), skipping, 25, 1) == [1, 2]


async def test_the_venues_word_on_what_is_used_counts(skipping):
    budget = Budget(10, 60.0)
    window = await budget.spend(1, skipping)
    budget.used(9, window)
    assert await spent(budget, skipping, 2) == [2]
    budget.used(3, window + 1)
    assert await spent(budget, skipping, 7) == [2]


async def test_what_was_used_of_a_window_that_has_passed_means_nothing_to_the_next(skipping):
    budget = Budget(10, 60.0)
    asked_in = await budget.spend(1, skipping)
    skipping.advance(60)
    assert await spent(budget, skipping, 1) == [2]
    budget.used(10, asked_in)
    assert await spent(budget, skipping, 9) == [2]


async def test_an_answer_that_trickles_has_a_bound(monkeypatch):
    monkeypatch.setattr(http, "_WHOLE_ANSWER_S", 0.05)

    async def trickle(_):
        await asyncio.Event().wait()

    async with HttpClient(
        "https://venue.example",
        budget_weight=100,
        budget_window_s=60.0,
        transport=httpx.MockTransport(trickle),
    ) as asking:
        with pytest.raises(Transient, match=r"TimeoutError \(3 tries\)"):
            await asking.get("/path", {})


async def test_a_milder_refusal_shortens_no_ban():
    host, clock = Host(answer(418, retry_after="3600"), answer(429)), FakeClock()
    asking = client(host, clock)
    for refusal in host.answers:
        with pytest.raises(Refused):
            asking._body(refusal, "/path", 0)
    async with asking:
        clock.advance(100)
        with pytest.raises(Refused, match="left alone for 3500 s more"):
            await asking.get("/path", {})


async def test_the_header_reaches_the_budget(skipping):
    host = Host(answer(X_Used="100"))
    async with client(host, skipping) as asking:
        await asking.get("/path", {})
        before = skipping.now_ms()
        await asking.get("/path", {})
    assert skipping.now_ms() >= before + 60_000 - before % 60_000


@given(weights=st.lists(st.integers(1, 10), max_size=40))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_window_holds_more_than_its_budget(skipping, weights):
    windows = await spent(Budget(10, 60.0), skipping, *weights)
    for window in set(windows):
        assert sum(w for w, at in zip(weights, windows, strict=True) if at == window) <= 10
