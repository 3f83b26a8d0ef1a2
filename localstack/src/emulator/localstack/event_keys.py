"""S3 sends keys to EventBridge as they are, and LocalStack sends them encoded, as in notifications to queues. Runs
in the process of LocalStack: here as the beginning of its launcher, and in containers as a script of its start stage."""

from dataclasses import replace
from urllib.parse import unquote

from localstack.services.s3.notifications import EventBridgeNotifier

event_of = EventBridgeNotifier._get_event_payload
EventBridgeNotifier._get_event_payload = staticmethod(
    lambda context, config_id=None: event_of(replace(context, key_name=unquote(context.key_name)), config_id)
)

