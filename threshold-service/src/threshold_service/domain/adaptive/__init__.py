"""Detectors that learn what is usual for a coin, a venue and an hour, and keep to a budget.

- `volume`: sums of `seconds` in a `window`, against what each `venue` is expected to bring by its
  `baseline` and `seasons`; told as a `volume_finding`.
- `interest`: changes between `polls` over several `horizons`; told as an `interest_finding`.
- `sizes`: single liquidations, by their `rarity`.
- `cascades`: the `pressure` on either of the `sides`, as an `incident` with its `continuation`;
  told as a `cascade_finding`.

All of them share `budget`, `scale`, `sketch`, `news`, `recent`, and return a `finding`.
"""
