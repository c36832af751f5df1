"""Which of a launch template's fields reach the instance."""

import copy

from moto.ec2.exceptions import InvalidParameterValue
from moto.ec2.models.instances import InstanceBackend
from moto.ec2.utils import convert_tag_spec, filter_iam_instance_profiles
from moto.iam.exceptions import NotFoundException

from . import Mend

mend = Mend(
    __name__,
    service="EC2",
    moto="applies a template's image, type, key and user data; drops the security groups of its network interface, "
    "its instance profile, metadata options, monitoring and the tags of volumes and interfaces, and puts its root "
    "volume beside a second, default one",
    aws="applies all fields that the request does not override; a block device named like the image's root is the root",
    source="EC2 API Reference: RunInstances, RequestLaunchTemplateData; EC2 User Guide: Block device mappings",
)

ROOT_VOLUME = {"VolumeSize": 8, "VolumeType": "gp2", "DeleteOnTermination": True}


@mend.around(InstanceBackend, "run_instances")
def run_instances(original, ec2, image_id, count, user_data, security_group_names, **kwargs):
    template = kwargs.get("launch_template")
    if not template:
        return original(ec2, image_id, count, user_data, security_group_names, **kwargs)

    data = ec2._get_template_from_args(template).data
    profile = _instance_profile(ec2, data, kwargs)
    _apply_interface(data, kwargs)
    kwargs["block_device_mappings"] = _block_devices(ec2, image_id or data.get("ImageId"), data, kwargs)
    if not kwargs.get("metadata_options"):
        kwargs["metadata_options"] = data.get("MetadataOptions", {})
    if kwargs.get("monitoring_state", "disabled") == "disabled" and data.get("Monitoring", {}).get("Enabled"):
        kwargs["monitoring_state"] = "enabled"
    if not kwargs.get("ebs_optimized"):
        kwargs["ebs_optimized"] = data.get("EbsOptimized") or False
    if not kwargs.get("instance_market_options"):
        kwargs["instance_market_options"] = data.get("InstanceMarketOptions", {}).get("MarketType")

    template_tags = convert_tag_spec(data.get("TagSpecifications", []))
    tags = kwargs.get("tags") or {}
    kwargs["tags"] = {kind: {**template_tags.get(kind, {}), **tags.get(kind, {})} for kind in {*template_tags, *tags}}
    interface_tags = kwargs["tags"].get("network-interface", {})

    reservation = original(ec2, image_id, count, user_data, security_group_names, **kwargs)
    for instance in reservation.instances:
        if profile:
            ec2.associate_iam_instance_profile(instance.id, iam_instance_profile_arn=profile.arn)
        for interface in instance.network_interfaces:
            interface.add_tags(interface_tags)
    return reservation


def _instance_profile(ec2, data, kwargs):
    """The template's profile; None if the request names one, which moto applies itself."""
    wanted = data.get("IamInstanceProfile") or {}
    if not wanted or kwargs.get("iam_instance_profile_name") or kwargs.get("iam_instance_profile_arn"):
        return None
    try:
        return filter_iam_instance_profiles(
            ec2.account_id,
            partition=ec2.partition,
            iam_instance_profile_name=wanted.get("Name"),
            iam_instance_profile_arn=wanted.get("Arn"),
        )
    except NotFoundException:
        raise InvalidParameterValue(
            f"Value ({wanted.get('Name') or wanted.get('Arn')}) for parameter iamInstanceProfile.name is invalid. "
            "Invalid IAM Instance Profile name"
        ) from None


def _apply_interface(data, kwargs):
    """Groups and addresses of the template's primary network interface."""
    if kwargs.get("nics"):
        return
    for interface in data.get("NetworkInterfaces", []):
        if int(interface.get("DeviceIndex", 0)) != 0:
            continue
        if not kwargs.get("security_group_ids"):
            kwargs["security_group_ids"] = list(interface.get("Groups", []))
        if kwargs.get("associate_public_ip") is None:
            kwargs["associate_public_ip"] = interface.get("AssociatePublicIpAddress")
        if not kwargs.get("ipv6_address_count"):
            kwargs["ipv6_address_count"] = interface.get("Ipv6AddressCount")
        if not kwargs.get("subnet_id"):
            kwargs["subnet_id"] = interface.get("SubnetId")


def _block_devices(ec2, image_id, data, kwargs):
    images = ec2.describe_images(filters={"image-id": image_id})
    root = images[0].root_device_name if images else "/dev/sda1"
    devices = {root: {"DeviceName": root, "Ebs": dict(ROOT_VOLUME)}}
    for mapping in [*data.get("BlockDeviceMappings", []), *kwargs.get("block_device_mappings", [])]:
        if "Ebs" not in mapping:
            continue  # an instance store volume, which is no resource of its own
        mapping = copy.deepcopy(mapping)
        mapping["Ebs"] = {**devices.get(mapping["DeviceName"], {}).get("Ebs", {}), **mapping["Ebs"]}
        devices[mapping["DeviceName"]] = mapping
    return list(devices.values())
