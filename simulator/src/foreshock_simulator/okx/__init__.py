"""OKX's v5 perpetual swaps, wire-exact, over the simulated market.

Facts: https://www.okx.com/docs-v5/en/
"""
