"""Tickers that are no coins to warn of: their prices are somebody else's business.

They are left out of the most traded; who names one in COINS gets it. Stock tickers that are also
coins' (META, GME, SPX) are not here: the venues' own marks keep those stocks out.
"""

from typing import Final

_STABLE: Final = (
    "AEUR BFUSD BUSD CRVUSD DAI EURC EURI EURS EURT FDUSD FRAX GHO GUSD LUSD PYUSD RLUSD SUSD "
    "TUSD USD0 USD1 USDC USDD USDE USDF USDG USDM USDP USDS USDT USDX XUSD"
)
_GOLD: Final = "KAU PAXG SLVON XAG XAU XAUM XAUT XPD XPT"
_TRADFI: Final = (
    "AAPL AMD AMZN AVGO BABA BRENT COIN COPPER CRCL CRUDE EUR EWJ EWY GBP GOLD GOOG GOOGL HOOD "
    "INTC IWM JPY MSFT MSTR NATGAS NDX NFLX NVDA ORCL PLTR QQQ SILVER SNDK SP500 SPY TSLA TSM "
    "UKOIL US100 US500 USOIL WTI XCU XYZ100"
)

LEFT_OUT: Final = frozenset(f"{_STABLE} {_GOLD} {_TRADFI}".split())
