"""A market of leveraged traders, stepped by hand: no clock inside, the same seed the same market.

The model is that of forced sellers who feed on themselves: positions open with some leverage,
each has the price at which it is closed by force, that closing moves the price, and the next
one falls. Cascades are not scripted; a scenario only pushes the price.
"""
