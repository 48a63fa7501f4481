"""How hard properties are tried: `HYPOTHESIS_PROFILE=thorough pytest ...` for long runs."""

import os

from hypothesis import settings

settings.register_profile("usual", max_examples=60, deadline=None)
settings.register_profile("thorough", max_examples=1_000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "usual"))
