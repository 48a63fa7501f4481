"""What Hyperliquid calls its contracts: the coin, with a `k` in front where it is a thousand.

https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/info-endpoint/perpetuals
"""

import re
from typing import Final

from foreshock_exchanges.contract import Contract
from foreshock_schemas.names import coin_of

_THOUSAND: Final = re.compile(r"^k(?=[A-Z])")
_SYMBOL: Final = re.compile(r"(k(?=[A-Z]))?[A-Z0-9]{1,20}")


def base_of(symbol: str) -> str:
    """Return a contract's base with its multiplier in figures: kPEPE is 1000PEPE, KAS is KAS."""
    return _THOUSAND.sub("1000", symbol)


def contract_by_name(symbol: str) -> Contract | None:
    """Take a perpetual of Hyperliquid's own by its name.

    Spot pairs (`PURR/USDC`, `@142`) and other operators' markets (`xyz:NAME`) are not ours.
    """
    if not _SYMBOL.fullmatch(symbol):
        return None
    coin, multiplier = coin_of(base_of(symbol))
    return Contract(exchange="hyperliquid", symbol=symbol, coin=coin, multiplier=multiplier)
