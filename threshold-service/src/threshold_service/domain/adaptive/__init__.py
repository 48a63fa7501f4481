"""Limits that are learned: what is usual for a coin, a venue and an hour; a budget of alerts."""
