"""What an Auto Scaling group remembers of its creation and updates."""

import copy

from moto.autoscaling.models import FakeAutoScalingGroup
from moto.autoscaling.responses import AutoScalingResponse

from . import Mend

mend = Mend(
    __name__,
    service="Auto Scaling",
    moto="forgets MaxInstanceLifetime, and takes no new cooldown, termination policies or capacity rebalancing; "
    "an update that names no mixed instances policy removes it",
    aws="keeps them, and changes on an update only what the request names",
    source="Auto Scaling API Reference: CreateAutoScalingGroup, UpdateAutoScalingGroup",
)


@mend.around(FakeAutoScalingGroup, "update")
def update(original, group, *args, **kwargs):
    keeps_policy = not any(kwargs.get(key) for key in ("mixed_instances_policy", "launch_template", "launch_config_name"))
    if keeps_policy and group.mixed_instances_policy:
        policy = copy.deepcopy(group.mixed_instances_policy)
        # moto writes the name beside the ID, and refuses to read the two together.
        policy["LaunchTemplate"]["LaunchTemplateSpecification"].pop("LaunchTemplateName", None)
        kwargs["mixed_instances_policy"] = policy
    original(group, *args, **kwargs)


@mend.around(AutoScalingResponse, "create_auto_scaling_group")
def create_auto_scaling_group(original, response):
    result = original(response)
    _remember(response)
    return result


@mend.around(AutoScalingResponse, "update_auto_scaling_group")
def update_auto_scaling_group(original, response):
    result = original(response)
    _remember(response)
    return result


def _remember(response):
    group = response.autoscaling_backend.autoscaling_groups[response._get_param("AutoScalingGroupName")]
    lifetime = response._get_int_param("MaxInstanceLifetime")
    if lifetime is not None:
        group.max_instance_lifetime = lifetime or None  # 0 removes the limit
    cooldown = response._get_int_param("DefaultCooldown")
    if cooldown is not None:
        group.default_cooldown = cooldown
    rebalance = response._get_bool_param("CapacityRebalance", None)
    if rebalance is not None:
        group.capacity_rebalance = rebalance
    policies = response._get_param("TerminationPolicies", [])
    if policies:
        group.termination_policies = policies
