"""Targets and their health."""

from moto.elbv2.exceptions import TargetGroupNotFoundError
from moto.elbv2.models import ELBv2Backend, FakeHealthStatus, FakeTargetGroup

from . import Mend

mend = Mend(
    __name__,
    service="ELBv2",
    moto="calls every registered target healthy, whoever uses its group and whatever became of it, and a terminated "
    "one draining for ever; refuses to deregister what is not registered",
    aws="calls a target unused whose group no listener uses (Target.NotInUse), whose zone its balancer is not in, or "
    "which is stopped or terminated (Target.InvalidState); deregistering what is not registered succeeds",
    source="ELB API Reference (2015-12-01): TargetHealth, DeregisterTargets; "
    "User Guide for Network Load Balancers: Target health status",
)


@mend.instead(FakeTargetGroup, "deregister")
def deregister(target_group, targets):
    for target in targets:
        target_group.targets.pop(target["Id"], None)


@mend.instead(FakeTargetGroup, "deregister_terminated_instances")
def deregister_terminated_instances(target_group, instance_ids):
    target_group.deregister([{"Id": instance_id} for instance_id in instance_ids])


@mend.instead(ELBv2Backend, "describe_target_health")
def describe_target_health(elbv2, target_group_arn, targets):
    target_group = elbv2.target_groups.get(target_group_arn)
    if target_group is None:
        raise TargetGroupNotFoundError()
    return [_health(elbv2, target_group, target) for target in targets or target_group.targets.values()]


def _health(elbv2, target_group, target):
    def status(state, reason=None, description=None):
        port = registered["Port"] if registered else target.get("Port", target_group.port)
        return FakeHealthStatus(target["Id"], port, target_group.health_check_port, state, reason, description)

    registered = target_group.targets.get(target["Id"])
    if registered is None:
        return status("unused", "Target.NotRegistered", "Target is not registered to the target group")
    balancers = [elbv2.load_balancers[arn] for arn in target_group.load_balancer_arns if arn in elbv2.load_balancers]
    if not balancers:
        return status("unused", "Target.NotInUse", "Target group is not configured to receive traffic from the load balancer")

    instance = elbv2.ec2_backend.get_instance_by_id(target["Id"])
    if instance is None:
        return status("healthy")  # an address, which has no state
    if instance.state != "running":
        return status("unused", "Target.InvalidState", f"Target is in the {instance.state} state")
    zones = {subnet.availability_zone for balancer in balancers for subnet in balancer.subnets}
    if instance.placement.zone not in zones:
        return status(
            "unused", "Target.NotInUse", "Target is in an Availability Zone that is not enabled for the load balancer"
        )
    return status("healthy")
