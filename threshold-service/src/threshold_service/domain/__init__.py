"""The decisions of threshold-service: which limits hold, and what has crossed them.

`detection` keeps a `coin` for every coin of a partition. That gives each record to the original
`rules` or to the `adaptive` detectors, which may ask `around` about other topics; `saying` makes
signals of what the latter find. `engine` and `limits` are the original requirements' limits.
"""
