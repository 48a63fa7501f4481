"""Where liquidations wait, and a warning when the price comes near."""
