"""What ingest-trades can be told."""

from foreshock_exchanges import NAMES
from foreshock_kit.settings import VenueSettings


class Settings(VenueSettings, frozen=True, kw_only=True):
    """For example `EXCHANGES=binance`. `BACKFILL=false` asks no venue for trades missing."""

    backfill: bool = True

    def __post_init__(self) -> None:
        self.check_exchanges(NAMES)
