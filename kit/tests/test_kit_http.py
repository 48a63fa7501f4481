"""A REST host asked within its limits."""

import asyncio

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foreshock_kit import http
from foreshock_kit.backoff import Backoff
from foreshock_kit.errors import Permanent, Refused, Transient, Unavailable
from foreshock_kit.http import HttpClient
from foreshock_kit.limits import Answer, Budget, Host, Limit
from foreshock_kit.testing import FakeClock

NOW = 1_790_000_000_000  # Mon, 21 Sep 2026 14:13:20 GMT
BANNED = f"Way too many requests; IP(1.2.3.4) banned until {NOW + 90_000}. Please use"


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    """Between tries there is no waiting here; how long it would be is the client's choice."""
    monkeypatch.setattr(http, "_BACKOFF", Backoff(first_s=0.0))


class Venue:
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


def limits(clock=None, weight=100, **more):
    limit = Limit(weight=weight, window_s=60.0, used_header="X-Used", **more)
    return Host(limit, clock or FakeClock())


def client(host, clock=None, **more):
    return HttpClient(
        "https://venue.example", limits(clock, **more), transport=httpx.MockTransport(host)
    )


def answer(status=200, text="{}", **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, text=text, headers=named)


async def test_a_good_answer_is_its_body():
    host = Venue(answer(text='{"a":1}'))
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
    host = Venue(first, answer(text="good"))
    async with client(host) as asking:
        assert await asking.get("/path", {}) == b"good"
    assert len(host.asked) == 2


async def test_three_tries_are_enough():
    host = Venue(answer(500))
    async with client(host) as asking:
        with pytest.raises(Transient, match=r"venue.example/path answered 500 \(3 tries\)"):
            await asking.get("/path", {})
    assert len(host.asked) == 3


async def test_a_wrong_request_is_not_tried_again():
    host = Venue(answer(400, "Invalid symbol"))
    async with client(host) as asking:
        with pytest.raises(Permanent, match="answered 400: Invalid symbol"):
            await asking.get("/path", {})
    assert len(host.asked) == 1


@pytest.mark.parametrize(
    ("refusal", "wait_s"),
    [
        (answer(429, retry_after="7"), 7),
        (answer(429, retry_after="Mon, 21 Sep 2026 14:14:40 GMT"), 80),
        (answer(418), 60),
        (answer(418, BANNED), 90),
        (answer(418, BANNED, retry_after="7"), 7),
        (answer(403, retry_after="x"), 600),
        (answer(200, '{"msg":"Too Many Requests","code":"50011","data":[]}'), 3),
        (answer(429, '{"code":"50011"}'), 3),
        (answer(403, '{"code":"50011"}'), 600),
    ],
)
async def test_a_refusal_opens_the_circuit_for_as_long_as_the_venue_asks(refusal, wait_s):
    host, clock = Venue(refusal, answer(text="good")), FakeClock(NOW)
    asking = client(host, clock, refused_s=((429, 3.0), (403, 600.0)), slow_down='"code":"50011"')
    async with asking:
        with pytest.raises(Refused, match=f"answered {refusal.status_code}") as caught:
            await asking.get("/path", {})
        assert caught.value.retry_after_s == wait_s
        clock.advance(wait_s - 1)
        with pytest.raises(Refused, match=r"left alone for 1 s more: venue.example/path answered"):
            await asking.get("/path", {})
        assert len(host.asked) == 1, "no packet while the circuit is open"
        clock.advance(1)
        assert await asking.get("/path", {}) == b"good"


async def test_a_time_that_has_passed_is_no_time_to_wait_until():
    late = answer(429, retry_after="Mon, 21 Sep 2026 13:00:00 GMT")
    async with client(Venue(late), FakeClock(NOW)) as asking:
        with pytest.raises(Refused) as caught:
            await asking.get("/path", {})
    assert caught.value.retry_after_s == 60


@pytest.mark.parametrize(
    "refusal",
    [
        answer(451, '{"code":0,"msg":"Service unavailable from a restricted location"}'),
        answer(451),
        answer(403, "configured to block access from your country", retry_after="5"),
    ],
)
async def test_a_venue_that_does_not_serve_this_place_is_asked_again_after_an_hour(refusal):
    host, clock = Venue(refusal, answer(text="good")), FakeClock()
    async with client(host, clock) as asking:
        with pytest.raises(Unavailable):
            await asking.get("/path", {})
        clock.advance(3599)
        with pytest.raises(Unavailable):
            await asking.get("/path", {})
        clock.advance(1)
        assert await asking.get("/path", {}) == b"good"


async def test_access_too_frequent_is_no_matter_of_place():
    async with client(Venue(answer(403, "access too frequent"))) as asking:
        with pytest.raises(Refused) as caught:
            await asking.get("/path", {})
    assert type(caught.value) is Refused


async def test_json_is_posted():
    host = Venue(answer(500), answer(text="[]"))
    async with client(host) as asking:
        assert await asking.post("/info", '{"type":"meta"}') == b"[]"
    assert [(r.method, r.content) for r in host.asked] == [("POST", b'{"type":"meta"}')] * 2
    assert host.asked[0].headers["content-type"] == "application/json"


async def test_clients_of_one_host_share_its_budget_and_its_circuit(skipping):
    shared = limits(skipping, weight=1)
    host = Venue(answer(), answer(429))
    transport = httpx.MockTransport(host)
    async with (
        HttpClient("https://venue.example", shared, transport=transport) as one,
        HttpClient("https://venue.example", shared, transport=transport) as other,
    ):
        await one.get("/path", {})
        before = skipping.monotonic()
        with pytest.raises(Refused):
            await other.get("/path", {})
        assert skipping.monotonic() - before == pytest.approx(60, abs=0.1)
        with pytest.raises(Refused):
            await one.get("/path", {})
    assert len(host.asked) == 2


def budget_of(clock, weight, window_s=60.0, **more):
    return Budget(Limit(weight=weight, window_s=window_s, **more), clock)


async def spent(budget, clock, *weights):
    """Spend weights; return the seconds at which each was spent."""
    started, at = clock.monotonic(), []
    for weight in weights:
        await budget.spend(weight)
        at.append(round(clock.monotonic() - started, 1))
    return at


@pytest.fixture
def skipping(monkeypatch):
    """Let waits pass on the fake clock instead of ours."""
    clock = FakeClock(now_ms=60_000)

    async def sleep(seconds):
        clock.advance(seconds)

    monkeypatch.setattr(http.asyncio, "sleep", sleep)
    return clock


async def test_what_does_not_fit_waits_until_enough_has_lapsed(skipping):
    budget = budget_of(skipping, 10)
    assert await spent(budget, skipping, 6) == [0]
    skipping.advance(20)
    assert await spent(budget, skipping, 4, 5, 5) == [0, 40, 60]


async def test_only_our_share_of_the_limit_is_spent(skipping):
    assert await spent(budget_of(skipping, 10, share=0.2), skipping, 1, 1, 1) == [0, 0, 60]


async def test_what_costs_more_than_a_window_has_one_for_itself(skipping):
    assert await spent(budget_of(skipping, 10), skipping, 25, 1) == [0, 60]


async def test_what_costs_nothing_waits_for_nothing(skipping):
    assert await spent(budget_of(skipping, 10), skipping, 10, 0) == [0, 0]


async def test_a_third_of_the_limit_is_left_to_others_where_the_venue_says_what_is_used(skipping):
    budget = budget_of(skipping, 30, share=0.5)
    skipping.advance(50)
    window = await budget.spend(1)
    budget.used(18, window)
    assert await spent(budget, skipping, 2, 1) == [0, 10], "until the venue's minute is over"
    budget.used(10, window + 1)
    assert await spent(budget, skipping, 10) == [0]


async def test_what_was_used_of_a_window_that_has_passed_means_nothing_to_the_next(skipping):
    budget = budget_of(skipping, 30)
    asked_in = await budget.spend(1)
    skipping.advance(60)
    assert await spent(budget, skipping, 1) == [0]
    budget.used(30, asked_in)
    assert await spent(budget, skipping, 19) == [0]


async def test_who_comes_first_goes_first(skipping):
    budget, order = budget_of(skipping, 10), []

    async def spend(weight):
        await budget.spend(weight)
        order.append(weight)

    async with asyncio.TaskGroup() as group:
        for weight in (9, 8, 1):
            group.create_task(spend(weight))
    assert order == [9, 8, 1]


async def test_an_answer_that_trickles_has_a_bound(monkeypatch):
    monkeypatch.setattr(http, "_WHOLE_ANSWER_S", 0.05)

    async def trickle(_):
        await asyncio.Event().wait()

    async with HttpClient(
        "https://venue.example", limits(), transport=httpx.MockTransport(trickle)
    ) as asking:
        with pytest.raises(Transient, match=r"TimeoutError \(3 tries\)"):
            await asking.get("/path", {})


async def test_a_milder_refusal_shortens_no_ban():
    clock = FakeClock()
    shared = limits(clock)
    assert shared.refusal(Answer(418, b"", "3600"), "venue.example/path").retry_after_s == 3600
    assert shared.refusal(Answer(429, b""), "venue.example/path").retry_after_s == 60
    async with HttpClient("https://venue.example", shared) as asking:
        clock.advance(100)
        with pytest.raises(Refused, match=r"left alone for 3500 s more: .* answered 418"):
            await asking.get("/path", {})


async def test_the_header_reaches_the_budget(skipping):
    host = Venue(answer(X_Used="100"))
    async with client(host, skipping) as asking:
        await asking.get("/path", {})
        before = skipping.now_ms()
        await asking.get("/path", {})
    assert skipping.now_ms() >= before + 60_000 - before % 60_000


async def test_what_comes_behind_leaves_room_for_what_goes_before(skipping):
    budget = budget_of(skipping, 10)
    await budget.spend(3)
    await budget.spend(4, behind=3)
    assert await spent(budget, skipping, 3) == [0], "as much as it costs in each window"
    skipping.advance(60)
    waiting = asyncio.ensure_future(budget.spend(5, behind=8))
    await budget.spend(8)
    assert not waiting.done(), "it lets others pass"
    await waiting
    assert await spent(budget, skipping, 1) == [0]


@given(
    steps=st.lists(st.tuples(st.integers(1, 10), st.floats(0, 3)), max_size=40),
    window_s=st.sampled_from([2.0, 5.0, 60.0]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_window_wherever_it_begins_holds_more_than_the_budget(skipping, steps, window_s):
    budget, spending = budget_of(skipping, 10, window_s), []
    for weight, pause_s in steps:
        skipping.advance(pause_s)
        await budget.spend(weight)
        spending.append((skipping.monotonic(), weight))
    for start, _ in spending:
        assert sum(w for at, w in spending if start <= at < start + window_s * 0.999) <= 10
