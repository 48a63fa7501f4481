"""What ingest-trades can be told."""

from foreshock_exchanges import NAMES
from foreshock_kit.settings import VenueSettings


class Settings(VenueSettings, frozen=True, kw_only=True):
    """For example `EXCHANGES=binance`."""

    def __post_init__(self) -> None:
        self.check_exchanges(NAMES)
