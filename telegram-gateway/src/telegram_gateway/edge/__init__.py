"""Where the gateway meets Telegram."""
