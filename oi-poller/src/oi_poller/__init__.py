"""Open interest, market statistics, instruments and history, read by REST."""
