"""Waiting for a message."""

from moto.sqs.models import SQSBackend

from . import Mend

mend = Mend(
    __name__,
    service="SQS",
    moto="waits inside the request for up to 20 seconds, which here would hold up everybody else's",
    aws="answers a short poll at once, and a long one at the latest when its time is up: here all polls are short",
    source="SQS Developer Guide: Short and long polling",
)


@mend.around(SQSBackend, "receive_message")
def receive_message(original, sqs, queue_name, count, wait_seconds_timeout, *args, **kwargs):
    return original(sqs, queue_name, count, 0, *args, **kwargs)
