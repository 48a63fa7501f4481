"""The predictor's decisions: where liquidations wait, and when the price is near."""
