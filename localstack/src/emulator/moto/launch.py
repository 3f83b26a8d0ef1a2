"""Starts moto's server so that it processes one request at a time. Run as `python -I -c <this>`.

The server has one thread per connection, and the backends have no locks: a conditional write reads first and then writes, an
object is visible before its metadata, and a message that is sent while another one is deleted is lost. One lock around each
request makes requests atomic, as on AWS."""

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
from moto.s3.responses import S3Response
from moto.sqs import models
from werkzeug.serving import run_simple

LOCK = threading.Condition(threading.RLock())
POLL_SECONDS = 0.2


def wait_for_messages(queue, timeout):
    """Releases the lock while a receiver waits. Nothing signals the end of a message's delay or lease, so the queue is polled."""
    LOCK.wait_for(lambda: queue.messages, timeout=min(timeout, POLL_SECONDS))


get_bucket_notification = S3Response.get_bucket_notification


def notification_configuration(response):
    """S3 answers with an empty configuration for a bucket without notifications, and moto with another element. moto also
    leaves out that the bucket sends its events to EventBridge."""
    configuration = response.backend.get_bucket_notification_configuration(response.bucket_name)
    if not configuration:
        return 200, {}, '<NotificationConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"/>'
    status, headers, body = get_bucket_notification(response)
    if configuration.event_bridge is not None:
        body = body.replace("</NotificationConfiguration>", "<EventBridgeConfiguration/></NotificationConfiguration>")
    return status, headers, body


class OneAtATime:
    """Reads the body before it takes the lock and sends the response after it, so that a slow client blocks nobody."""

    def __init__(self, app):
        self.app = app

    def __call__(self, environ, start_response):
        size = -1 if environ.get("wsgi.input_terminated") else int(environ.get("CONTENT_LENGTH") or 0)
        environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read(size))
        with LOCK:
            response = list(self.app(environ, start_response))
            LOCK.notify_all()
        return response


def load(app, services):
    """Loads all services before the server starts, so that a missing one is reported at once."""
    known = set(backends.list_of_moto_modules())
    missing = [service for service in services if service not in known]
    if missing:
        sys.exit(f"moto has no service {', '.join(missing)}")
    for service in services:
        app.app_instances[service] = app.create_app(service)


signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
# Without a log line for each request. Failures are still logged.
logging.getLogger("werkzeug").setLevel(logging.WARNING)
models.Queue.wait_for_messages = wait_for_messages
S3Response.get_bucket_notification = notification_configuration
# S3 does not escape the slashes of a key in its notifications.
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
