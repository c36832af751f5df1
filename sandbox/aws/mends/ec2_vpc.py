"""What goes with a VPC or a subnet, and what stays."""

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import dhcp_options
from moto.ec2.models.subnets import SubnetBackend
from moto.ec2.models.vpcs import VPCBackend

from . import Mend

mend = Mend(
    __name__,
    service="EC2",
    moto="keeps a deleted subnet's route table association, so that the table can never be deleted, and a deleted VPC's "
    "network ACLs; deletes DHCP options with their VPC, and names a missing one InvalidDhcpOptionID.NotFound",
    aws="drops the association and the default ACL; keeps the options, which are a resource of their own; "
    "InvalidDhcpOptionsID.NotFound",
    source="EC2 API Reference: DeleteSubnet, DeleteVpc, DeleteDhcpOptions, Error codes; VPC User Guide: Delete your VPC",
)


@mend.around(SubnetBackend, "delete_subnet")
def delete_subnet(original, ec2, subnet_id):
    deleted = original(ec2, subnet_id)
    for table in ec2.route_tables.values():
        for key in [key for key, subnet in table._associations.items() if subnet == subnet_id]:
            del table._associations[key]
    for acl in ec2.network_acls.values():
        for key in [key for key, association in acl._associations.items() if association.subnet_id == subnet_id]:
            del acl._associations[key]
    return deleted


@mend.around(VPCBackend, "delete_vpc")
def delete_vpc(original, ec2, vpc_id):
    vpc = ec2.vpcs.get(vpc_id)
    options = vpc.dhcp_options if vpc else None
    if options:
        vpc.dhcp_options = None
    try:
        deleted = original(ec2, vpc_id)
    except Exception:
        if options:
            vpc.dhcp_options = options
        raise
    if options:
        options.vpc = None
    for acl_id in [acl_id for acl_id, acl in ec2.network_acls.items() if acl.vpc_id == vpc_id]:
        del ec2.network_acls[acl_id]
    return deleted


@mend.instead(dhcp_options, "InvalidDHCPOptionsIdError")
class InvalidDHCPOptionsIdError(EC2ClientError):
    def __init__(self, options_id):
        super().__init__("InvalidDhcpOptionsID.NotFound", f"The dhcpOption ID '{options_id}' does not exist")
