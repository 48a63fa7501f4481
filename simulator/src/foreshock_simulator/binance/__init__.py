"""Binance's USD-M websocket and REST, wire-exact, over the simulated market.

Facts: https://developers.binance.com/docs/derivatives/usds-margined-futures
"""
