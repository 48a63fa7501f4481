"""How severe alerts are, one beside another."""

from typing import Final

from foreshock_schemas.events import Severity

RANK: Final[dict[Severity, int]] = {"critical": 0, "warning": 1, "info": 2}
"""The most severe first."""
