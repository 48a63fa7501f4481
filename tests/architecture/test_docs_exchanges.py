"""The table of exchanges says what their adapters say."""

import re
from pathlib import Path

from foreshock_exchanges import NAMES, load
from foreshock_exchanges.base import Channel

PAGE = Path(__file__).resolve().parents[2] / "docs/exchanges.md"
ROWS = {
    name: [cell.strip() for cell in cells.split("|")]
    for name, cells in re.findall(r"^\| `([a-z]+)` \|(.*)\|$", PAGE.read_text(), re.MULTILINE)
}


def test_every_exchange_has_a_row():
    assert sorted(ROWS) == sorted(NAMES)


def test_a_row_says_how_much_of_its_liquidations_an_exchange_shows():
    for name, (_, liquidations, *_) in ROWS.items():
        shown = load(name).coverage.get(Channel.LIQUIDATIONS)
        said = re.match(r"`(\w+)`", liquidations)
        assert (said and said[1]) == shown, name


def test_a_row_says_whether_missing_trades_are_found():
    for name, (_, _, missing, _) in ROWS.items():
        assert missing.startswith("found") == load(name).gapless, name


def test_a_row_says_whether_there_is_history():
    for name, (*_, history) in ROWS.items():
        candles = load(name).rest.klines("BTC", "1h", 10, 1_795_000_000_000)
        assert (history != "no") == (candles is not None), name
