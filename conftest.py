"""What all tests share: how hard properties are tried, and which broker they run on.

`HYPOTHESIS_PROFILE=thorough pytest ...` for long runs; `TEST_BROKER=apache` for Apache Kafka.
"""

import os

from hypothesis import settings

from foreshock_kit.testing.broker import which

settings.register_profile("usual", max_examples=60, deadline=None)
settings.register_profile("thorough", max_examples=1_000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "usual"))


def pytest_report_header() -> str:
    """Say which broker."""
    return f"broker: {which()}"
