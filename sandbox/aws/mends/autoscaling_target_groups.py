"""Which targets an Auto Scaling group keeps in its target groups."""

from moto.autoscaling.models import AutoScalingBackend

from . import Mend

mend = Mend(
    __name__,
    service="Auto Scaling",
    moto="never deregisters an instance that leaves its group, and registers a replacement only by chance",
    aws="registers the instances of a group with its target groups, and deregisters those that leave it",
    source="Auto Scaling User Guide: Use Elastic Load Balancing to distribute incoming traffic; "
    "API Reference: AttachLoadBalancerTargetGroups, DetachLoadBalancerTargetGroups, DetachInstances",
)


@mend.instead(AutoScalingBackend, "update_attached_target_groups")
def update_attached_target_groups(backend, group_name):
    """Registers the group's instances with its target groups."""
    group = backend.autoscaling_groups[group_name]
    if "AddToLoadBalancer" in group._suspended_processes:
        return
    for target_group in _existing(backend, group.target_group_arns):
        missing = [
            {"Id": state.instance_id, "Port": target_group.port}
            for state in group.active_instances()
            if state.instance_id not in target_group.targets and state.instance.state == "running"
        ]
        target_group.register(missing)


@mend.around(AutoScalingBackend, "notify_terminate_instances")
def notify_terminate_instances(original, backend, instance_ids):
    original(backend, instance_ids)
    for name in list(backend.autoscaling_groups):
        backend.update_attached_target_groups(name)


@mend.around(AutoScalingBackend, "detach_instances")
def detach_instances(original, backend, group_name, instance_ids, should_decrement):
    group = backend.autoscaling_groups[group_name]
    activities = original(backend, group_name, instance_ids, should_decrement)
    _deregister(backend, group.target_group_arns, instance_ids)
    return activities


@mend.around(AutoScalingBackend, "detach_load_balancer_target_groups")
def detach_load_balancer_target_groups(original, backend, group_name, target_group_arns):
    group = backend.autoscaling_groups[group_name]
    group.target_group_arns = [arn for arn in group.target_group_arns if arn not in target_group_arns]
    _deregister(backend, target_group_arns, [state.instance_id for state in group.instance_states])


def _existing(backend, arns):
    """A target group may be deleted while a group still names it."""
    groups = backend.elbv2_backend.target_groups
    return [groups[arn] for arn in arns if arn in groups]


def _deregister(backend, arns, instance_ids):
    for target_group in _existing(backend, arns):
        target_group.deregister([{"Id": i} for i in instance_ids if i in target_group.targets])
