"""Whether a feed can be believed: pure, told events and times, never asking for them."""
