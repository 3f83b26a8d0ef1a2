"""Calls the function of docs/consumers.md as AWS Lambda does, until it has failed on an object whose key has this word.

Lambda receives messages of the queue, passes them to the handler, and deletes those that the handler does not name as failed.
"""

import os
import sys

import boto3
from lambda_function import handler

word = sys.argv[1]
queue = os.environ["LAMBDA_QUEUE_URL"]
sqs = boto3.client("sqs")
handled, failed = set(), set()
while not (handled and any(word in body for body in failed)):
    messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=20).get("Messages", [])
    records = [
        {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message.get("Attributes", {}),
            "messageAttributes": {},
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "awsRegion": os.environ["AWS_REGION"],
        }
        for message in messages
    ]
    answer = handler({"Records": records}, None)
    failures = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
    for record in records:
        if record["messageId"] in failures:
            failed.add(record["body"])
        else:
            handled.add(record["body"])
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=record["receiptHandle"])
if any(word in body for body in handled):
    sys.exit(f"the function did not fail on {word}")
