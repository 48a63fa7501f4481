"""What each record means to the predictor: the one place that routes them."""

from foreshock_schemas.events import Bar, Event, Evidence, OpenInterest, Signal, ZoneMap
from predictor_service.domain.approach import Approach
from predictor_service.domain.mapping import Mapper


class Prediction:
    """Zone maps and warnings of every coin, from the log alone."""

    def __init__(self) -> None:
        self._mapper = Mapper()
        self._approach = Approach()

    def on_event(self, event: Event, evidence: Evidence) -> list[ZoneMap | Signal]:
        """Return what follows from a record; `evidence` says where it stands."""
        if isinstance(event, Bar):
            return list(self._approach.on_bar(event, evidence))
        if isinstance(event, OpenInterest):
            zone_map = self._mapper.on_open_interest(event)
            self._approach.on_map(zone_map, evidence)
            return [zone_map]
        return []
