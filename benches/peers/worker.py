"""Both hops in one Python process, as a good engineer writes them: threads, long polls, batches, COPY.

Stops when it has loaded as many files as its argument says, and prints what it used.
"""

import io
import json
import os
import pathlib
import resource
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import unquote_plus

import boto3
import pandas
import psycopg
from botocore.config import Config

THREADS = 8
PRICES = ["open", "high", "low", "close"]
TABLE = """create table if not exists python_candles (symbol text, interval text, time date, open numeric, high numeric,
    low numeric, close numeric, volume numeric, is_filled boolean, primary key (symbol, interval, time))"""

config = Config(max_pool_connections=4 * THREADS, s3={"addressing_style": "path"})
region = os.environ["AWS_REGION"]
s3 = boto3.client("s3", region_name=region, config=config)
sqs = boto3.client("sqs", region_name=region, config=config)
bucket, local = os.environ["BUCKET"], threading.local()
loaded, counting, done = 0, threading.Lock(), threading.Event()


def database():
    if not hasattr(local, "connection"):
        local.connection = psycopg.connect(os.environ["DATABASE_URL"])
    return local.connection


def clean(key):
    body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    frame = pandas.read_csv(io.BytesIO(body), dtype=str).dropna(how="all")
    numbers = frame[PRICES].astype(float)
    sane = (numbers > 0).all(axis=1) & (numbers["high"] >= numbers.max(axis=1)) & (numbers["low"] <= numbers.min(axis=1))
    frame = frame[sane].drop_duplicates("datetime").sort_values("datetime")
    frame.insert(0, "symbol", key.split("symbol=")[1].split("/")[0])
    frame.insert(1, "interval", "1day")
    frame = frame.rename(columns={"datetime": "time"}).assign(has_volume="true", is_filled="false")
    target = key.replace("raw/", "transformed/", 1)
    s3.put_object(Bucket=bucket, Key=target, Body=frame.to_csv(index=False).encode())


def load(key):
    global loaded
    body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    symbol = key.split("symbol=")[1].split("/")[0]
    connection = database()
    with connection.cursor() as cursor:
        cursor.execute("delete from python_candles where symbol = %s and interval = '1day'", (symbol,))
        with cursor.copy("copy python_candles from stdin (format csv, header true)") as copy:
            copy.write(body)
    connection.commit()
    with counting:
        loaded += 1
        if loaded >= int(sys.argv[1]):
            done.set()


def serve(url, work):
    with ThreadPoolExecutor(THREADS) as pool:
        while not done.is_set():
            messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", [])
            keys = [unquote_plus(r["s3"]["object"]["key"]) for m in messages for r in json.loads(m["Body"]).get("Records", [])]
            list(pool.map(work, keys))
            if messages:
                entries = [{"Id": str(at), "ReceiptHandle": m["ReceiptHandle"]} for at, m in enumerate(messages)]
                sqs.delete_message_batch(QueueUrl=url, Entries=entries)


with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
    connection.execute(TABLE)
pathlib.Path(sys.argv[2]).touch()
before, begun = time.process_time(), time.perf_counter()
hops = [(os.environ["RAW_QUEUE_URL"], clean), (os.environ["TRANSFORMED_QUEUE_URL"], load)]
threads = [threading.Thread(target=serve, args=hop) for hop in hops for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
cpu = (time.process_time() - before) * 1000 / int(sys.argv[1])
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
print(f"{cpu:.1f} ms of CPU a file, {peak:.0f} MB")
