"""Security groups of load balancers."""

from moto.elbv2.exceptions import ELBClientError, InvalidConfigurationRequest
from moto.elbv2.models import ELBv2Backend

from . import Mend

mend = Mend(
    __name__,
    service="ELBv2",
    moto="adds security groups to a network load balancer that was made without any, and takes groups that don't exist",
    aws="refuses the one with InvalidConfigurationRequest (a new balancer is needed), the other with InvalidSecurityGroup",
    source="ELB API Reference (2015-12-01): SetSecurityGroups; User Guide for Network Load Balancers: Security groups",
)


@mend.around(ELBv2Backend, "create_load_balancer")
def create_load_balancer(original, elbv2, name, security_groups, *args, **kwargs):
    _must_exist(elbv2, security_groups)
    balancer = original(elbv2, name, security_groups, *args, **kwargs)
    balancer.security_groups = list(balancer.security_groups or [])
    return balancer


@mend.around(ELBv2Backend, "set_security_groups")
def set_security_groups(original, elbv2, arn, sec_groups):
    balancer = elbv2.load_balancers.get(arn)
    if balancer is not None and balancer.type == "network":
        if not balancer.security_groups:
            raise InvalidConfigurationRequest(
                f"Security groups cannot be set on load balancer '{arn}' because it was created without any"
            )
        if not sec_groups:
            raise InvalidConfigurationRequest(
                f"You must specify at least one security group for load balancer '{arn}', which was created with them"
            )
    _must_exist(elbv2, sec_groups)
    original(elbv2, arn, sec_groups)


def _must_exist(elbv2, group_ids):
    for group_id in group_ids or []:
        if elbv2.ec2_backend.get_security_group_from_id(group_id) is None:
            raise ELBClientError("InvalidSecurityGroup", f"Security group '{group_id}' does not exist")
