"""Bybit's v5 linear perpetuals, wire-exact, over the simulated market.

Facts: https://bybit-exchange.github.io/docs/v5/intro
"""
