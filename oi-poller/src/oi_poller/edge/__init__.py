"""Whom the poller asks: the venues' REST hosts, and the sources of market capitalisation."""
