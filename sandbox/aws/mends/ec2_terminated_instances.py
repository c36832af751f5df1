"""What a terminated instance still is, and for how long it is remembered."""

import copy

from moto.core.utils import utcnow
from moto.ec2.models.instances import Instance, InstanceBackend

from . import Mend

mend = Mend(
    __name__,
    service="EC2",
    moto="lists terminated instances for ever: a sandbox that lives for weeks grows with every rolling update; "
    "terminating one again fails, since its network interface is gone",
    aws="forgets a terminated instance after about an hour; until then terminating it again succeeds",
    source="EC2 User Guide: Terminate instances (How instance termination works); "
    "EC2 API Reference: TerminateInstances (this operation is idempotent)",
)

REMEMBERED_SECONDS = 3600


@mend.around(Instance, "terminate")
def terminate(original, instance):
    if instance._state.name == "terminated":
        return copy.copy(instance._state)
    result = original(instance)
    instance.terminated_at = utcnow()
    return result


@mend.around(InstanceBackend, "run_instances")
def run_instances(original, ec2, *args, **kwargs):
    now = utcnow()
    for reservation in list(ec2.reservations.values()):
        reservation.instances = [instance for instance in reservation.instances if not _forgotten(instance, now)]
        if not reservation.instances:
            del ec2.reservations[reservation.id]
    return original(ec2, *args, **kwargs)


def _forgotten(instance, now):
    ended = getattr(instance, "terminated_at", None)
    return ended is not None and (now - ended).total_seconds() > REMEMBERED_SECONDS
