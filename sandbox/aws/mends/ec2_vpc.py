"""What goes with a VPC or a subnet, and what stays."""

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import dhcp_options
from moto.ec2.models.subnets import SubnetBackend
from moto.ec2.models.vpcs import VPCBackend

from . import Mend

mend = Mend(
    __name__,
    service="EC2",
    moto="keeps a deleted subnet's route table association, so that the table can never be deleted; deletes DHCP "
    "options with their VPC, and names a missing one InvalidDhcpOptionID.NotFound",
    aws="drops the association; keeps the options, which are a resource of their own; InvalidDhcpOptionsID.NotFound",
    source="EC2 API Reference: DeleteSubnet, DeleteVpc, DeleteDhcpOptions, Error codes",
)


@mend.around(SubnetBackend, "delete_subnet")
def delete_subnet(original, ec2, subnet_id):
    deleted = original(ec2, subnet_id)
    for table in ec2.route_tables.values():
        for key in [key for key, subnet in table._associations.items() if subnet == subnet_id]:
            del table._associations[key]
    return deleted


@mend.around(VPCBackend, "delete_vpc")
def delete_vpc(original, ec2, vpc_id):
    vpc = ec2.vpcs.get(vpc_id)
    options = vpc.dhcp_options if vpc else None
    if options is None:
        return original(ec2, vpc_id)
    vpc.dhcp_options = None
    try:
        deleted = original(ec2, vpc_id)
    except Exception:
        vpc.dhcp_options = options
        raise
    options.vpc = None
    return deleted


@mend.instead(dhcp_options, "InvalidDHCPOptionsIdError")
class InvalidDHCPOptionsIdError(EC2ClientError):
    def __init__(self, options_id):
        super().__init__("InvalidDhcpOptionsID.NotFound", f"The dhcpOption ID '{options_id}' does not exist")
