"""Alerts to Telegram, and the answers to its commands."""
