"""The launch template version that an instance of a group reports."""

from moto.autoscaling.models import FakeAutoScalingGroup, InstanceState

from . import Mend

mend = Mend(
    __name__,
    service="Auto Scaling",
    moto="says of every instance that it was launched from its group's current template version: "
    "no instance ever needs an update, and a rolling update has nothing to do",
    aws="keeps for each instance the version that it was launched from",
    source="Auto Scaling API Reference, Instance.LaunchTemplate; EC2 User Guide: "
    "Launch templates (the tags aws:ec2launchtemplate:id and :version)",
)


@mend.instead(InstanceState, "launch_template")
@property
def launched_from(state):
    # The tags are set at launch and cannot be changed: the aws: prefix is reserved.
    tags = {tag["key"]: tag["value"] for tag in state.instance.get_tags()}
    template_id = tags.get("aws:ec2launchtemplate:id")
    if template_id is None:
        return None
    template = state.instance.ec2_backend.launch_templates.get(template_id) or state.auto_scaling_group.ec2_launch_template
    return {
        "LaunchTemplateId": template_id,
        "LaunchTemplateName": template.name if template and template.id == template_id else None,
        "Version": tags.get("aws:ec2launchtemplate:version"),
    }


@mend.around(FakeAutoScalingGroup, "_set_launch_configuration")
def set_launch_configuration(original, group, *args, **kwargs):
    if not hasattr(group, "provided_launch_template_version"):  # moto sets it for one of two kinds of group only
        group.provided_launch_template_version = None
    original(group, *args, **kwargs)


@mend.instead(FakeAutoScalingGroup, "launch_template")
@property
def launch_template(group):
    template = group.ec2_launch_template
    if template is None or group.mixed_instances_policy:
        return None  # with a mixed instances policy, the template is named there and nowhere else
    return {
        "LaunchTemplateId": template.id,
        "LaunchTemplateName": template.name,
        "Version": group.provided_launch_template_version,
    }
