"""What may not be deleted while something else needs it."""

from moto.ec2.exceptions import DependencyViolationError, EC2ClientError, InvalidVPCIdError
from moto.ec2.models.elastic_ip_addresses import ElasticAddressBackend
from moto.ec2.models.security_groups import SecurityGroupBackend
from moto.ec2.models.subnets import SubnetBackend
from moto.ec2.models.vpcs import VPCBackend

from . import Mend

mend = Mend(
    __name__,
    service="EC2",
    moto="deletes subnets and security groups that are in use, VPCs with gateways and security groups left in them, "
    "and addresses that a NAT gateway holds",
    aws="refuses with DependencyViolation, CannotDelete (a default security group), InvalidIPAddress.InUse",
    source="EC2 API Reference: DeleteSubnet, DeleteSecurityGroup, DeleteVpc, ReleaseAddress; VPC User Guide: Delete your VPC",
)


@mend.around(SubnetBackend, "delete_subnet")
def delete_subnet(original, ec2, subnet_id):
    if any(interface.subnet.id == subnet_id for interface in ec2.enis.values()):
        raise DependencyViolationError(f"The subnet '{subnet_id}' has dependencies and cannot be deleted.")
    return original(ec2, subnet_id)


@mend.around(SecurityGroupBackend, "delete_security_group")
def delete_security_group(original, ec2, name=None, group_id=None):
    group = ec2.get_security_group_from_id(group_id) if group_id else ec2.get_security_group_by_name_or_id(name)
    if group is not None:
        if group.name == "default":
            raise EC2ClientError(
                "CannotDelete", f'the specified group: "{group.id}" name: "default" cannot be deleted by a user'
            )
        if _in_use(ec2, group):
            raise DependencyViolationError(f"resource {group.id} has a dependent object")
    return original(ec2, name, group_id)


def _in_use(ec2, group):
    by_interface = any(group in interface.group_set for interface in ec2.enis.values())
    by_rule = any(
        source.get("GroupId") == group.id
        for other in ec2.groups[group.vpc_id].values()
        if other is not group
        for rule in (*other.ingress_rules, *other.egress_rules)
        for source in [rule.source_group or {}]
    )
    return by_interface or by_rule


@mend.around(VPCBackend, "delete_vpc")
def delete_vpc(original, ec2, vpc_id):
    vpc = ec2.vpcs.get(vpc_id)
    if vpc is None:
        raise InvalidVPCIdError(vpc_id)
    groups = ec2.groups.get(vpc_id, {})
    custom = [group for group in groups.values() if group.name != "default"]
    gateways = [gateway for gateway in ec2.internet_gateways.values() if gateway.vpc and gateway.vpc.id == vpc_id]
    if custom or gateways:
        raise DependencyViolationError(f"The vpc '{vpc_id}' has dependencies and cannot be deleted.")
    # The default security group goes with its VPC, but nobody else may delete it.
    default = {group.id: groups.pop(group.id) for group in list(groups.values())}
    try:
        return original(ec2, vpc_id)
    except Exception:
        groups.update(default)
        raise


@mend.around(ElasticAddressBackend, "release_address")
def release_address(original, ec2, address=None, allocation_id=None):
    for held in ec2.addresses:
        if allocation_id and held.allocation_id == allocation_id and held.eni is not None:
            raise EC2ClientError("InvalidIPAddress.InUse", f"Address {held.public_ip} is in use.")
    return original(ec2, address, allocation_id)
