"""Where the gateway meets Telegram."""

import os

# python-telegram-bot's switch to durations as timedelta; without it, it warns at every 429
os.environ.setdefault("PTB_TIMEDELTA", "true")
