"""The decisions of threshold-service: which limits hold, and what has crossed them."""
