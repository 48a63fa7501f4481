"""The command: starts the whole, looks into it, replays recordings."""
