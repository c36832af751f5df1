"""Subnets of a network load balancer."""

from moto.elbv2.exceptions import InvalidConfigurationRequest, LoadBalancerNotFoundError, SubnetNotFoundError
from moto.elbv2.models import AvailabilityZone, ELBv2Backend
from moto.ec2.exceptions import EC2ClientError

from . import Mend

mend = Mend(
    __name__,
    service="ELBv2",
    moto="wants two zones of every balancer",
    aws="wants two of an application load balancer and one of a network load balancer",
    source="ELB API Reference (2015-12-01): SetSubnets",
)


@mend.around(ELBv2Backend, "set_subnets")
def set_subnets(original, elbv2, arn, subnets, subnet_mappings):
    balancer = elbv2.load_balancers.get(arn)
    if balancer is None:
        raise LoadBalancerNotFoundError()
    if balancer.type != "network":
        return original(elbv2, arn, subnets, subnet_mappings)

    wanted = [*(subnets or []), *(mapping["SubnetId"] for mapping in subnet_mappings or [])]
    try:
        found = [elbv2.ec2_backend.get_subnet(subnet_id) for subnet_id in wanted]
    except EC2ClientError:
        raise SubnetNotFoundError() from None
    if len({subnet.availability_zone for subnet in found}) < len(found):
        raise InvalidConfigurationRequest("A load balancer cannot be attached to multiple subnets in the same Availability Zone")
    balancer.subnets = found
    return [AvailabilityZone(subnet) for subnet in found]
