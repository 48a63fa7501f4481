"""The poller's decisions: which coins, what they are like, when to ask again."""
