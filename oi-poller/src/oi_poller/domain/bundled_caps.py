"""Market capitalisations for when no source answers: rounded, and of one day.

They decide a coin's tier, for which the order of magnitude is enough; their age lowers the
confidence of every threshold made with them.
"""

from datetime import UTC, datetime
from typing import Final

from oi_poller.domain.caps import Cap

DATE: Final = "2025-06-25"

_BILLIONS_USD: Final = {
    "BTC": 2130, "ETH": 295, "XRP": 129, "BNB": 91, "SOL": 77, "TRX": 26, "DOGE": 24.5,
    "ADA": 20.5, "HYPE": 12.6, "BCH": 9.6, "SUI": 9.4, "LINK": 9, "XLM": 7.5, "AVAX": 7.5,
    "TON": 7.1, "SHIB": 6.8, "LTC": 6.5, "HBAR": 6.3, "XMR": 5.7, "DOT": 5.2, "UNI": 4.3,
    "AAVE": 4, "PEPE": 4, "APT": 3.1, "TAO": 2.9, "NEAR": 2.6, "ICP": 2.6, "ETC": 2.5,
    "ONDO": 2.4, "KAS": 2, "VET": 1.8, "TRUMP": 1.8, "ARB": 1.6, "FET": 1.6, "RENDER": 1.6,
    "ATOM": 1.6, "ALGO": 1.6, "FIL": 1.5, "ENA": 1.5, "WLD": 1.5, "SEI": 1.5, "JUP": 1.2,
    "BONK": 1.1, "INJ": 1.1, "TIA": 1.05, "FARTCOIN": 1, "S": 1, "VIRTUAL": 0.95, "OP": 0.95,
    "STX": 0.9, "WIF": 0.8, "FLOKI": 0.7, "ZEC": 0.7, "CRV": 0.7, "LDO": 0.65, "GALA": 0.6,
    "PENGU": 0.6, "PYTH": 0.55, "PENDLE": 0.55, "JTO": 0.5, "RUNE": 0.5, "DYDX": 0.4,
    "KAITO": 0.4, "EIGEN": 0.38, "STRK": 0.37, "ZK": 0.35, "AR": 0.35, "W": 0.3, "ETHFI": 0.25,
    "DASH": 0.25, "NOT": 0.18, "ORDI": 0.16, "SATS": 0.1,
}  # fmt: skip


def bundled() -> dict[str, tuple[Cap, ...]]:
    """Return the table, each cap with the date of all."""
    ts_ms = int(datetime.fromisoformat(DATE).replace(tzinfo=UTC).timestamp() * 1000)
    return {
        coin: (Cap(coin=coin, usd=usd * 1e9, price=None, source=f"bundled {DATE}", ts_ms=ts_ms),)
        for coin, usd in _BILLIONS_USD.items()
    }
