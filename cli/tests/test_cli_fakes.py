"""Where services find the simulated venues, and where these come back."""

from foreshock_cli.fakes import Fakes

MARKET = {
    "binance": "http://127.0.0.1:1001",
    "bybit": "http://127.0.0.1:1002",
    "okx": "http://127.0.0.1:1003",
}


def test_services_are_told_of_every_simulated_venue():
    env = Fakes(market=MARKET, chat={}).env
    assert env == {
        "EXCHANGE_REST_URLS": "binance=http://127.0.0.1:1001,bybit=http://127.0.0.1:1002,"
        "okx=http://127.0.0.1:1003",
        "EXCHANGE_WS_URLS": "binance=ws://127.0.0.1:1001,bybit=ws://127.0.0.1:1002,"
        "okx=ws://127.0.0.1:1003",
    }


def test_after_a_restart_all_are_where_they_were():
    chat = {"bot_api": "http://127.0.0.1:1004"}
    assert Fakes(market=MARKET, chat=chat).ports == {
        "SIM_BINANCE_PORT": "1001",
        "SIM_BYBIT_PORT": "1002",
        "SIM_OKX_PORT": "1003",
        "TELEGRAM_FAKE_PORT": "1004",
    }
