"""Exchanges' trades onto foreshock.trades.v1, and their seconds onto foreshock.bars.v1."""
