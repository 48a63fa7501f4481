"""Asking for what the stream has left out."""
