"""Subnets of a network load balancer."""

from moto.ec2.exceptions import EC2ClientError
from moto.elbv2.exceptions import InvalidConfigurationRequest, LoadBalancerNotFoundError, SubnetNotFoundError
from moto.elbv2.models import AvailabilityZone, ELBv2Backend

from . import Mend

mend = Mend(
    __name__,
    service="ELBv2",
    moto="wants two zones of every balancer",
    aws="wants two of an application load balancer and one of a network load balancer",
    source="ELB API Reference (2015-12-01): SetSubnets",
)


@mend.instead(ELBv2Backend, "set_subnets")
def set_subnets(elbv2, arn, subnets, subnet_mappings):
    balancer = elbv2.load_balancers.get(arn)
    if balancer is None:
        raise LoadBalancerNotFoundError()
    wanted = [*(subnets or []), *(mapping["SubnetId"] for mapping in subnet_mappings or [])]
    try:
        found = [elbv2.ec2_backend.get_subnet(subnet_id) for subnet_id in wanted]
    except EC2ClientError:
        raise SubnetNotFoundError() from None
    zones = {subnet.availability_zone for subnet in found}
    if len(zones) < len(found):
        raise InvalidConfigurationRequest("A load balancer cannot be attached to multiple subnets in the same Availability Zone")
    if len(zones) < (1 if balancer.type == "network" else 2):
        raise InvalidConfigurationRequest("At least two subnets in two different Availability Zones must be specified")
    balancer.subnets = found
    return [AvailabilityZone(subnet) for subnet in found]
