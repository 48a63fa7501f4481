"""The router's decisions: who wants a signal, and whether it is news."""
