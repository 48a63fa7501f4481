"""Telling whether a channel of an exchange can be believed, and what it is known to have lacked."""

import asyncio
from typing import Final, NoReturn, get_args

from prometheus_client import Counter, Enum

from foreshock_kit.clock import Clock
from foreshock_kit.kafka import Publishing
from foreshock_schemas.events import FeedHealth, FeedState, Severity, Signal
from foreshock_schemas.ids import derived_id
from foreshock_schemas.topics import FEED_HEALTH, MARKET, SIGNALS

STATE: Final = Enum(
    "foreshock_feed_state",
    "How a channel is, all its sockets taken together.",
    ["exchange", "channel"],
    states=get_args(FeedState),
)
GAPS: Final = Counter(
    "foreshock_feed_gaps_total",
    "Times a channel is known to lack something.",
    ["exchange", "channel"],
)
_REPEAT_S: Final = 60.0
_WORTH_A_SIGNAL_MS: Final[dict[FeedState, int]] = {"MUTE": 0, "DOWN": 120_000, "STALE": 120_000}
"""How long a state lasts before people are told: a lost connection is back in seconds."""
_BELIEVED: Final = {"LIVE", "QUIET"}


class FeedHealthTeller:
    """Publishes how one channel is: at every change, and each minute as long as it runs.

    What lies in MUTE, or for 2 minutes in DOWN or STALE, is a signal too, once until the channel
    is believed again, which then is another.
    """

    def __init__(self, clock: Clock, exchange: str, channel: str, publisher: Publishing) -> None:
        self._clock = clock
        self._exchange = exchange
        self._channel = channel
        self._publisher = publisher
        self._state: FeedState | None = None
        self._reason = ""
        self._since_ms = 0
        self._signalled = False
        self._shown = STATE.labels(exchange, channel)
        self._gaps = GAPS.labels(exchange, channel)
        self._shown.state("UNKNOWN")

    async def say(self, state: FeedState, reason: str) -> None:
        """Tell a state, if it is another than the last one told, and what lasts too long.

        A new reason for the same state is told with the next repetition.
        """
        self._reason = reason
        if state != self._state:
            self._state, self._since_ms = state, self._clock.now_ms()
            self._shown.state(state)
            await self._publish(state)
        await self._signal(state)

    async def stopped(self) -> None:
        """Tell that nobody listens any more, if anything was told before."""
        if self._state is not None:
            await self.say("DOWN", "ingestion was stopped")

    async def repeat(self) -> NoReturn:
        """Say it again each minute, so that silence is no sign of health."""
        while True:
            await asyncio.sleep(_REPEAT_S)
            if self._state is not None:
                await self._publish(self._state)

    async def gap(
        self,
        reason: str,
        start_ms: int,
        end_ms: int,
        *,
        symbol: str | None = None,
        missing: int | None = None,
        refilled: int | None = None,
    ) -> None:
        """Record that something is lacking between two times; `missing` where it can be counted."""
        self._gaps.inc()
        now = self._clock.now_ms()
        await self._publisher.send(
            FEED_HEALTH,
            FeedHealth(
                event_id=derived_id(
                    "gap", self._exchange, self._channel, symbol or "", start_ms, end_ms
                ),
                ts_event_ms=now,
                ts_recv_ms=now,
                exchange=self._exchange,
                channel=self._channel,
                state=self._state or "UNKNOWN",
                reason=reason,
                since_ms=self._since_ms,
                symbol=symbol,
                gap_start_ms=start_ms,
                gap_end_ms=end_ms,
                missing=missing,
                refilled=refilled,
            ),
        )

    async def _publish(self, state: FeedState) -> None:
        now = self._clock.now_ms()
        await self._publisher.send(
            FEED_HEALTH,
            FeedHealth(
                event_id=derived_id("feed", self._exchange, self._channel, state, now),
                ts_event_ms=now,
                ts_recv_ms=now,
                exchange=self._exchange,
                channel=self._channel,
                state=state,
                reason=self._reason,
                since_ms=self._since_ms,
            ),
        )

    async def _signal(self, state: FeedState) -> None:
        if state in _BELIEVED and self._signalled:
            self._signalled = False
            await self._publisher.send(SIGNALS, self._signal_of(state, "info"))
        lasts_ms = self._clock.now_ms() - self._since_ms
        patience_ms = _WORTH_A_SIGNAL_MS.get(state)
        if self._signalled or patience_ms is None or lasts_ms < patience_ms:
            return
        self._signalled = True
        await self._publisher.send(SIGNALS, self._signal_of(state, "warning"))

    def _signal_of(self, state: FeedState, severity: Severity) -> Signal:
        what, exchange = self._channel.replace("-", " "), self._exchange
        over = severity == "info"
        told = f"{exchange}, {what}: {'again ' if over else ''}{state}"
        return Signal(
            event_id=derived_id(
                "feed-signal", exchange, self._channel, severity, state, self._since_ms
            ),
            ts_event_ms=self._since_ms,
            ts_recv_ms=self._clock.now_ms(),
            coin=MARKET,
            kind="feed",
            severity=severity,
            headline=f"{told} ({self._reason})",
            reasons=() if over else (f"Until it is back, sums of {what} lack {exchange}.",),
            value=1.0,
            limit=1.0,
            unit="state",
            window_s=0,
            position=None,
            direction=None,
            price=None,
            method="feed_truth",
            exchanges=(exchange,),
            coverage="unknown",
            evidence=(),
        )
