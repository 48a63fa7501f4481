"""A market to try it on: leveraged traders, exchange fakes, a Telegram fake."""
