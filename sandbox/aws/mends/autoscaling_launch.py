"""Which instances an Auto Scaling group launches, and where."""

from collections import Counter

from moto.autoscaling.exceptions import ValidationError
from moto.autoscaling.models import ASG_NAME_TAG, Activity, FakeAutoScalingGroup, InstanceState
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult

from . import Mend

mend = Mend(
    __name__,
    service="Auto Scaling",
    moto="launches all instances of a group in its first subnet, at the launch template's default version; "
    "answers 500 to whoever terminates an instance when the template is gone, or has a later version with user data; "
    "keeps no record of activities",
    aws="spreads instances evenly over the group's zones, launches them at the group's version of the template, "
    "and launches none without a template or while Launch is suspended: the activity fails, the request does not",
    source="Auto Scaling User Guide: Distribute instances across Availability Zones; Launch templates; "
    "Suspend and resume processes; API Reference: DescribeScalingActivities",
)

REMEMBERED_ACTIVITIES = 100


@mend.around(FakeAutoScalingGroup, "replace_autoscaling_group_instances")
def launch(original, group, count_needed, propagated_tags):
    if "Launch" in group._suspended_processes:
        return
    if group.ec2_launch_template is None or not group.vpc_zone_identifier:
        original(group, count_needed, propagated_tags)  # launch configurations, EC2-Classic: not what kops makes
        return
    being_made = group.name not in group.autoscaling_backend.autoscaling_groups
    for _ in range(count_needed):
        try:
            instance = _launch_one(group, propagated_tags)
        except ServiceException as error:
            if being_made:
                raise ValidationError(f"You must use a valid fully-formed launch template. {error.message}") from error
            _record(group, "Launching a new EC2 instance", "Failed", f"{error.message} Launching EC2 instance failed.")
            return
        _record(group, f"Launching a new EC2 instance: {instance.id}", "Successful", None)


def _launch_one(group, propagated_tags):
    template = group.ec2_backend.get_launch_template(group.ec2_launch_template.id)
    version = template.get_version(group.launch_template_version)
    subnet = _emptiest_subnet(group)
    (instance,) = group.ec2_backend.run_instances(
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
    ).instances
    instance.autoscaling_group = group
    group.instance_states.append(
        InstanceState(instance, protected_from_scale_in=group.new_instances_protected_from_scale_in)
    )
    return instance


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


def _record(group, description, status, message):
    cause = "An instance was started in response to a difference between desired and actual capacity."
    activity = Activity(description, cause, group, status_code=status)
    activity.status_message = message
    activity.progress = 100
    group.activities = [activity, *getattr(group, "activities", [])][:REMEMBERED_ACTIVITIES]


@mend.instead(AutoScalingResponse, "describe_scaling_activities")
def describe_scaling_activities(response):
    backend, name = response.autoscaling_backend, response._get_param("AutoScalingGroupName")
    groups = [backend.autoscaling_groups[name]] if name else backend.autoscaling_groups.values()
    return ActionResult({"Activities": [activity for group in groups for activity in getattr(group, "activities", [])]})
