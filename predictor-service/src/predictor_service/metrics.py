"""What predictor-service counts."""

from typing import Final

from prometheus_client import Counter

MAPS: Final = Counter("foreshock_predictor_service_zone_maps_total", "Zone maps written.")
WARNINGS: Final = Counter(
    "foreshock_predictor_service_warnings_total", "Zone warnings, by side.", ["position"]
)
