"""Starts moto's server with one request at a time. Run as `python -I -c <this>`.

Its server has a thread for each connection and its backends have no locks: a conditional write looks and then writes, an object
is there before its metadata, and a message that is sent while another one is deleted is lost. One lock around each request makes
each of them a whole, as on AWS."""

import io
import logging
import os
import signal
import sys
import threading
from urllib.parse import quote_plus

from moto import backends
from moto.moto_server import werkzeug_app
from moto.s3 import notifications
from moto.sqs import models
from werkzeug.serving import run_simple

TURN = threading.Condition(threading.RLock())
LONGEST_LOOK = 0.2


def wait_for_messages(queue, timeout):
    """Gives the turn away while a receiver waits. A message whose delay or lease ends tells nobody: hence the looking."""
    TURN.wait_for(lambda: queue.messages, timeout=min(timeout, LONGEST_LOOK))


class OneAtATime:
    """The body is read before the turn begins and the answer is sent after it: a slow client holds up no one."""

    def __init__(self, app):
        self.app = app

    def __call__(self, environ, start_response):
        size = -1 if environ.get("wsgi.input_terminated") else int(environ.get("CONTENT_LENGTH") or 0)
        environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read(size))
        with TURN:
            answer = list(self.app(environ, start_response))
            TURN.notify_all()
        return answer


def load(app, services):
    """Loads them now, so that it is known before anyone asks whether they are there."""
    known = set(backends.list_of_moto_modules())
    missing = [service for service in services if service not in known]
    if missing:
        sys.exit(f"moto has no service {', '.join(missing)}")
    for service in services:
        app.app_instances[service] = app.create_app(service)


signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
# A line for each request says nothing; what fails is still told.
logging.getLogger("werkzeug").setLevel(logging.WARNING)
models.Queue.wait_for_messages = wait_for_messages
# S3 leaves the slashes of a key as they are.
notifications.quote_plus = lambda key: quote_plus(key, safe="/")
server = werkzeug_app.DomainDispatcherApplication(werkzeug_app.create_backend_app)
load(server, os.environ["CANDLEWICK_SERVICES"].split(","))
run_simple(
    "127.0.0.1",
    int(os.environ["MOTO_PORT"]),
    OneAtATime(server),
    threaded=True,
    request_handler=werkzeug_app.MotoRequestHandler,
)
