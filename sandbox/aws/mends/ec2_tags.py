"""Tags of resources that are no more."""

from moto.ec2.models.core import TaggedEC2Resource
from moto.ec2.models.tags import TagBackend
from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE, get_prefix

from . import Mend

mend = Mend(
    __name__,
    service="EC2",
    moto="keeps the tags of deleted resources, and reads all tags of the region to find one resource's",
    aws="forgets a resource's tags with the resource",
    source="EC2 API Reference: DescribeTags",
)


@mend.instead(TaggedEC2Resource, "get_tags")
def get_tags(resource):
    tags = resource.ec2_backend.tags.get(resource.id, {}) if resource.id else {}
    kind = EC2_PREFIX_TO_RESOURCE.get(get_prefix(resource.id), "") if tags else ""
    return [
        {"resource_id": resource.id, "key": key, "value": value, "resource_type": kind}
        for key, value in tags.items()
    ]


@mend.around(TagBackend, "describe_tags")
def describe_tags(original, ec2, filters=None):
    there = _existing(ec2)
    for resource_id in list(ec2.tags):
        if get_prefix(resource_id) in there and resource_id not in there[get_prefix(resource_id)]:
            del ec2.tags[resource_id]
    return original(ec2, filters)


def _existing(ec2):
    """IDs of what there is, by prefix; kinds that aren't here are left alone."""
    groups = [group for in_vpc in ec2.groups.values() for group in in_vpc.values()]
    return {
        "dopt": set(ec2.dhcp_options_sets),
        "eipalloc": {address.allocation_id for address in ec2.addresses},
        "eni": set(ec2.enis),
        "i": {instance.id for reservation in ec2.reservations.values() for instance in reservation.instances},
        "igw": set(ec2.internet_gateways),
        "lt": set(ec2.launch_templates),
        "nat": set(ec2.nat_gateways),
        "rtb": set(ec2.route_tables),
        "sg": {group.id for group in groups},
        "sgr": {rule.id for group in groups for rule in (*group.ingress_rules, *group.egress_rules)},
        "subnet": {subnet_id for in_zone in ec2.subnets.values() for subnet_id in in_zone},
        "vol": set(ec2.volumes),
        "vpc": set(ec2.vpcs),
    }
