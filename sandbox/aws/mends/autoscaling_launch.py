"""Which instances an Auto Scaling group launches, and where."""

from collections import Counter

from moto.autoscaling.models import ASG_NAME_TAG, FakeAutoScalingGroup, InstanceState

from . import Mend

mend = Mend(
    __name__,
    service="Auto Scaling",
    moto="launches all instances of a group in its first subnet, at the launch template's default version; "
    "answers 500 to whoever terminates an instance when the template is gone",
    aws="spreads instances evenly over the group's zones, launches them at the group's version of the template, "
    "and launches none without a template or while Launch is suspended (the activity fails, the request does not)",
    source="Auto Scaling User Guide: Distribute instances across Availability Zones; Launch templates; "
    "Suspend and resume processes",
)


@mend.around(FakeAutoScalingGroup, "replace_autoscaling_group_instances")
def launch(original, group, count_needed, propagated_tags):
    template = group.ec2_launch_template
    if "Launch" in group._suspended_processes:
        return
    if template is None or not group.vpc_zone_identifier:
        original(group, count_needed, propagated_tags)  # launch configurations, EC2-Classic: not what kops makes
        return
    if template.id not in group.ec2_backend.launch_templates:
        return

    version = template.get_version(group.launch_template_version)
    for _ in range(count_needed):
        subnet = _emptiest_subnet(group)
        reservation = group.ec2_backend.run_instances(
            version.image_id,
            1,
            None,
            [],
            instance_type=_instance_type(group, version),
            is_instance_type_default=False,
            region_name=group.region,
            placement=subnet.availability_zone,
            subnet_id=subnet.id,
            associate_public_ip=None,
            launch_template={"LaunchTemplateId": template.id, "Version": str(version.number)},
            tags={"instance": {**propagated_tags, **version.instance_tags, ASG_NAME_TAG: group.name}},
        )
        for instance in reservation.instances:
            instance.autoscaling_group = group
            group.instance_states.append(
                InstanceState(instance, protected_from_scale_in=group.new_instances_protected_from_scale_in)
            )


def _emptiest_subnet(group):
    """The subnet with the fewest instances in the zone with the fewest; the first listed among equals."""
    subnets = [group.ec2_backend.get_subnet(subnet_id) for subnet_id in group.vpc_zone_identifier.split(",")]
    zones = Counter(state.instance.placement.zone for state in group.instance_states)
    filled = Counter(state.instance.subnet_id for state in group.instance_states)
    return min(subnets, key=lambda subnet: (zones[subnet.availability_zone], filled[subnet.id]))


def _instance_type(group, version):
    """A mixed instances policy's first override comes before the template's type."""
    policy = (group.mixed_instances_policy or {}).get("LaunchTemplate", {})
    for override in policy.get("Overrides", []):
        if override.get("InstanceType"):
            return override["InstanceType"]
    return version.instance_type
