"""Writes expected.csv: candles, and what TA-Lib (and for VWAP pandas) says of them.

    pip install TA-Lib==0.8.2 pandas && python generate.py > expected.csv
"""

import numpy
import pandas
import talib

ROWS = 900
noise = numpy.random.default_rng(7)
close = numpy.round(100 + numpy.cumsum(noise.normal(0, 1.2, ROWS)), 2)
high = numpy.round(close + noise.uniform(0, 2, ROWS), 2)
low = numpy.round(close - noise.uniform(0, 2, ROWS), 2)
volume = noise.integers(1, 10_000, ROWS)
frame = pandas.DataFrame({"high": high, "low": low, "close": close, "volume": volume})

frame["sma20"] = talib.SMA(close, 20)
frame["ema20"] = talib.EMA(close, 20)
upper, middle, lower = talib.BBANDS(close, 20, 2, 2)
frame["bb20x2_lower"], frame["bb20x2_middle"], frame["bb20x2_upper"] = lower, middle, upper
frame["rsi14"] = talib.RSI(close, 14)
macd, signal, histogram = talib.MACD(close, 12, 26, 9)
frame["macd12x26x9"], frame["macd12x26x9_signal"], frame["macd12x26x9_histogram"] = macd, signal, histogram
typical = (frame.high + frame.low + frame.close) / 3
frame["vwap20"] = (typical * volume).rolling(20).sum() / frame.volume.rolling(20).sum()
print(frame.to_csv(index=False, float_format="%.12g"), end="")
