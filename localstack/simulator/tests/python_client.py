"""Asks a running simulator through TwelveData's official Python client.

Usage: python tests/python_client.py http://127.0.0.1:8460
Needs the packages twelvedata and pandas. Exits 0 if every answer is as expected.
"""

import sys

from twelvedata import TDClient
from twelvedata.exceptions import BadRequestError, InvalidApiKeyError, TwelveDataError

WEEK = dict(interval="1day", start_date="2024-06-03", end_date="2024-06-08")


def expect(error, ask):
    try:
        ask()
    except error as raised:
        return str(raised)
    raise AssertionError(f"{error.__name__} was not raised")


def main(base_url):
    client = TDClient(apikey="any", base_url=base_url)

    rows = client.time_series(symbol="AAPL", **WEEK).as_json()
    assert [row["datetime"] for row in rows] == [f"2024-06-0{day}" for day in (7, 6, 5, 4, 3)], rows
    assert rows[-1]["close"] == "194.03000", rows[-1]

    frame = client.time_series(symbol="AAPL", **WEEK).as_pandas()
    assert frame.shape == (5, 5) and frame["volume"].iloc[-1] == 50080500, frame

    csv = client.time_series(symbol="AAPL", **WEEK).as_csv()
    assert list(csv[0]) == ["datetime", "open", "high", "low", "close", "volume"] and len(csv) == 6, csv

    batch = client.time_series(symbol="AAPL,MSFT", **WEEK).as_json()
    assert sorted(batch) == ["AAPL", "MSFT"] and len(batch["MSFT"]) == 5, batch
    frames = client.time_series(symbol=["AAPL", "BTC/USD"], **WEEK).as_pandas()
    assert set(frames.index) >= {("AAPL", "2024-06-03"), ("BTC/USD", "2024-06-03")}, frames
    assert list(frames.columns) == ["open", "high", "low", "close", "volume"], frames

    minutes = client.time_series(symbol="EUR/USD", interval="1min", outputsize=3, timezone="UTC").as_pandas()
    assert list(minutes.columns) == ["open", "high", "low", "close"], minutes

    assert client.api_usage().as_json()["plan_category"] == "unlimited"
    assert client.get_stocks_list(symbol="AAPL").as_json()[0]["mic_code"] == "XNGS"
    assert client.get_exchanges_list(country="India").as_json()[0]["code"] == "XNSE"
    assert client.get_earliest_timestamp(symbol="AAPL", interval="1day").as_json()["unix_time"] == 345479400
    assert client.get_market_state(code="XNYS").as_json()[0]["name"] == "NYSE"

    message = expect(BadRequestError, lambda: client.time_series(symbol="AAPL", interval="0.99min").as_json())
    assert "Invalid **interval** provided" in message, message
    future = dict(interval="1day", start_date="2099-01-01")
    message = expect(BadRequestError, lambda: client.time_series(symbol="AAPL", **future).as_json())
    assert "No data is available on the specified dates" in message, message
    expect(TwelveDataError, lambda: client.time_series(symbol="NOSUCH", interval="1day").as_json())
    expect(InvalidApiKeyError, lambda: TDClient(apikey="", base_url=base_url).time_series(symbol="AAPL", **WEEK).as_json())


if __name__ == "__main__":
    main(sys.argv[1])
