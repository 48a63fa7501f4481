"""Wiring: open interest and bars in, zone maps and warnings out."""

from collections.abc import Sequence
from functools import partial
from typing import Final

from foreshock_kit import logs
from foreshock_kit.kafka import Publisher, Publishing, Record, consume
from foreshock_kit.service import Context, Service
from foreshock_schemas.events import Signal
from foreshock_schemas.topics import BARS, OPEN_INTEREST, SIGNALS, ZONES
from predictor_service import metrics
from predictor_service.domain.prediction import Prediction
from predictor_service.settings import Settings

log = logs.get_logger(__name__)

_HOUR_MS: Final = 3_600_000
_REBUILD_MS: Final = {OPEN_INTEREST.name: _HOUR_MS + 5 * 60_000}
"""Back to the full hour, whose first price is the anchor. A warning's id is its zone's, so that one
told again after a restart is known for a repeat."""


async def run(settings: Settings, context: Context) -> None:
    """Predict until told to stop; do nothing at all while switched off."""
    if not settings.enable_predictive_zones:
        context.ready("zones", why="switched off: ENABLE_PREDICTIVE_ZONES=false")
        log.info("zones_switched_off", setting="ENABLE_PREDICTIVE_ZONES")
        await context.stop.wait()
        return
    prediction = Prediction()
    async with Publisher(settings, context.name, context.clock, stop=context.stop) as publisher:
        await consume(
            settings,
            context,
            topics=[OPEN_INTEREST, BARS],
            on_records=partial(predict, prediction, publisher),
            publisher=publisher,
            rebuild_ms=_REBUILD_MS,
            first=[OPEN_INTEREST],
        )


async def predict(prediction: Prediction, publisher: Publishing, records: Sequence[Record]) -> None:
    """Publish what follows from a batch; what is replayed only rebuilds the state."""
    for record in records:
        outputs = prediction.on_event(record.event, record.evidence)
        if record.replayed:
            continue
        for output in outputs:
            if isinstance(output, Signal):
                await publisher.send(SIGNALS, output)
                metrics.WARNINGS.labels(output.position).inc()
            else:
                await publisher.publish(ZONES, output)
                metrics.MAPS.inc()


SERVICE = Service("predictor-service", Settings, run)
