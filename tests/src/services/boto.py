"""Calls boto3 for the tests: an order on a line of standard input, its answer on a line of output.

An order is {"service", "call", "arguments"}. A body of {"file": PATH} is read from there; with "to"
in the order, the body of the answer is written there.
"""

import json
import sys

import boto3
from botocore.config import Config

CLIENTS = {}


def client(service):
    if service not in CLIENTS:
        config = Config(s3={"addressing_style": "path"}, connect_timeout=5, read_timeout=30)
        CLIENTS[service] = boto3.client(
            service, endpoint_url=sys.argv[1], region_name="us-east-1", config=config
        )
    return CLIENTS[service]


def run(order):
    arguments = order["arguments"]
    body = arguments.get("Body")
    if isinstance(body, dict):
        with open(body["file"], "rb") as file:
            arguments["Body"] = file.read()
    answer = getattr(client(order["service"]), order["call"])(**arguments)
    if "to" in order:
        with open(order["to"], "wb") as file:
            file.write(answer.pop("Body").read())
    return answer


for line in sys.stdin:
    try:
        said = {"answer": run(json.loads(line))}
    except Exception as error:  # Whatever it is, the test is told.
        said = {"error": repr(error)}
    print(json.dumps(said, default=str), flush=True)
