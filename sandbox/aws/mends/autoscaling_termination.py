"""How instances leave an Auto Scaling group."""

from collections import Counter

from moto.autoscaling.exceptions import AutoscalingClientError, ValidationError
from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup, TerminateInstanceActivity
from moto.autoscaling.responses import AutoScalingResponse

from . import Mend

mend = Mend(
    __name__,
    service="Auto Scaling",
    moto="launches the replacement before it terminates an instance; scales in at random; deletes a group that has "
    "instances without being forced, but leaves those that are protected from scale-in, and the group's hooks",
    aws="terminates, then replaces; scales in the fullest zone and the oldest template version first; refuses "
    "desired sizes out of bounds (ValidationError) and, unless forced, the deletion of a group with instances (ResourceInUse)",
    source="Auto Scaling API Reference: DeleteAutoScalingGroup, SetDesiredCapacity, "
    "TerminateInstanceInAutoScalingGroup; User Guide: Default termination policy",
)


@mend.instead(AutoScalingBackend, "terminate_instance")
def terminate_instance(backend, instance_id, should_decrement):
    state = next(iter(backend.describe_auto_scaling_instances([instance_id])), None)
    if state is None:
        raise ValidationError(f"Instance Id not found - No managed instance found for instance ID: {instance_id}")
    group = state.auto_scaling_group
    before = group.desired_capacity
    if should_decrement:
        if before - 1 < group.min_size:
            raise ValidationError(
                f"Currently, desiredSize equals minSize ({group.min_size}). Terminating instance without replacement "
                "will violate group's min size constraint. Either set shouldDecrementDesiredCapacity flag to false "
                "or lower group's min size."
            )
        group.desired_capacity -= 1
    _terminate(group, [state])
    group.set_desired_capacity(group.desired_capacity)
    return TerminateInstanceActivity(state.instance, before)


@mend.around(FakeAutoScalingGroup, "set_desired_capacity")
def set_desired_capacity(original, group, new_capacity):
    """Scales in by AWS's default policy; the rest is moto's."""
    wanted = group.min_size if new_capacity is None else new_capacity
    mixed = group.mixed_instances_policy and group.mixed_instances_policy.get("LaunchTemplate", {}).get("Overrides")
    surplus = len(group.active_instances()) - wanted
    if surplus > 0 and not mixed:  # moto knows how overrides' weights count
        group.desired_capacity = wanted
        _terminate(group, _to_scale_in(group, surplus))
    original(group, new_capacity)


@mend.around(AutoScalingBackend, "set_desired_capacity")
def set_desired_capacity_of(original, backend, group_name, desired_capacity):
    _check_bounds(backend.autoscaling_groups[group_name], desired_capacity)
    return original(backend, group_name, desired_capacity)


def _check_bounds(group, desired):
    if desired is not None and desired > group.max_size:
        raise ValidationError(
            f"New SetDesiredCapacity value {desired} is above max value {group.max_size} for the AutoScalingGroup."
        )
    if desired is not None and desired < group.min_size:
        raise ValidationError(
            f"New SetDesiredCapacity value {desired} is below min value {group.min_size} for the AutoScalingGroup."
        )


@mend.around(AutoScalingResponse, "delete_auto_scaling_group")
def delete_auto_scaling_group(original, response):
    backend = response.autoscaling_backend
    name = response._get_param("AutoScalingGroupName")
    group = backend.autoscaling_groups.get(name)
    if group is not None:
        if group.instance_states and not response._get_bool_param("ForceDelete", False):
            raise AutoscalingClientError(
                "ResourceInUse",
                "You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) "
                "still in the group.",
            )
        group.min_size = group.desired_capacity = 0
        _terminate(group, list(group.instance_states))
    result = original(response)
    for key in [key for key, hook in backend.lifecycle_hooks.items() if hook.auto_scaling_group_name == name]:
        del backend.lifecycle_hooks[key]
    return result


def _terminate(group, states):
    if not states:
        return
    leaving = {state.instance_id for state in states}
    group.instance_states = [state for state in group.instance_states if state.instance_id not in leaving]
    group.ec2_backend.terminate_instances(sorted(leaving))
    group.autoscaling_backend.elbv2_backend.notify_terminate_instances(sorted(leaving))


def _unprotected(group):
    return [state for state in group.active_instances() if not state.protected_from_scale_in]


def _to_scale_in(group, count):
    chosen = []
    for _ in range(count):
        left = [state for state in _unprotected(group) if state not in chosen]
        if not left:
            break
        zones = Counter(state.availability_zone for state in left)
        chosen.append(min(left, key=lambda state: (-zones[state.availability_zone], _version(state), state.instance.launch_time)))
    return chosen


def _version(state):
    launched_from = state.launch_template
    return int(launched_from["Version"]) if launched_from and str(launched_from["Version"]).isdigit() else 0
