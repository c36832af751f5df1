"""A NAT gateway's network interface, and its end."""

from moto.core.utils import utcnow
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.nat_gateways import NatGatewayBackend

from . import Mend

mend = Mend(
    __name__,
    service="EC2",
    moto="keeps a deleted NAT gateway's network interface and Elastic IP address, and the gateway itself for ever; "
    "calls the interface available and gives it the default security group; knows no tag filters",
    aws="frees both (the address stays allocated) and forgets the gateway after about an hour; the interface is in use, "
    "described as the gateway's, and in no security group",
    source="VPC User Guide: Work with NAT gateways; EC2 API Reference: DeleteNatGateway, DescribeNatGateways",
)

REMEMBERED_SECONDS = 3600


@mend.around(NatGatewayBackend, "create_nat_gateway")
def create_nat_gateway(original, ec2, *args, **kwargs):
    gateway = original(ec2, *args, **kwargs)
    interface = gateway._eni
    interface.description = f"Interface for NAT Gateway {gateway.id}"
    interface.interface_type = "nat_gateway"
    interface.requester_managed = True
    interface.status = "in-use"
    interface._group_set = []
    return gateway


@mend.around(NatGatewayBackend, "delete_nat_gateway")
def delete_nat_gateway(original, ec2, nat_gateway_id):
    gateway = ec2.nat_gateways.get(nat_gateway_id)
    if gateway is None:
        raise EC2ClientError("NatGatewayNotFound", f"The Nat Gateway {nat_gateway_id} was not found")
    if gateway.state != "deleted":
        for address in ec2.addresses:
            if address.eni is gateway._eni:
                ec2.disassociate_address(address=address.public_ip)
        gateway._eni.delete()
        gateway.deleted_at = utcnow()
    return original(ec2, nat_gateway_id)


@mend.around(NatGatewayBackend, "describe_nat_gateways")
def describe_nat_gateways(original, ec2, filters, nat_gateway_ids):
    now = utcnow()
    for gateway in list(ec2.nat_gateways.values()):
        if gateway.state == "deleted" and (now - gateway.deleted_at).total_seconds() > REMEMBERED_SECONDS:
            del ec2.nat_gateways[gateway.id]
    found = original(ec2, filters, nat_gateway_ids)
    for name, values in (filters or {}).items():
        if name.startswith("tag"):
            found = [gateway for gateway in found if _has_tag(gateway, name, values)]
    return found


def _has_tag(gateway, name, values):
    value = gateway.get_filter_value(name)
    return any(item in values for item in (value if isinstance(value, list) else [value]))
