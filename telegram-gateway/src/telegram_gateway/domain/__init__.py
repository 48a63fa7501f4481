"""The gateway's decisions: what is known, what is answered, what is sent to whom."""
