"""Size classes are those of the requirements, which say "above"."""

import pytest

from foreshock_schemas.tiers import tier_of


@pytest.mark.parametrize(
    ("cap", "tier"),
    [
        (2e12, "mega"),
        (1e11, "large"),
        (1.1e10, "large"),
        (1e10, "mid"),
        (1e9, "small"),
        (1, "small"),
    ],
)
def test_tiers_are_the_prd_s(cap, tier):
    assert tier_of(cap) == tier
