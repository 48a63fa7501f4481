"""Exchanges' liquidations onto foreshock.liquidations.v1."""
