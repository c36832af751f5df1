"""Names, addresses and uniqueness of load balancers."""

import re

from moto.elbv2.exceptions import DuplicateLoadBalancerName, ELBClientError, LoadBalancerNotFoundError, ValidationError
from moto.elbv2.models import ELBv2Backend

from . import Mend

mend = Mend(
    __name__,
    service="ELBv2",
    moto="takes any name, twice if asked; gives a network load balancer an application load balancer's ARN and every "
    "one the DNS name NAME-1.REGION.elb.amazonaws.com; answers for an unknown name with another balancer",
    aws="refuses names over 32 characters or with others than letters, digits and hyphens (ValidationError) and a taken "
    "name (DuplicateLoadBalancerName); loadbalancer/net/NAME/ID; NAME-ID.elb.REGION.amazonaws.com",
    source="ELB API Reference (2015-12-01): CreateLoadBalancer, DescribeLoadBalancers; "
    "User Guide for Network Load Balancers: DNS name; AWS General Reference: Elastic Load Balancing endpoints",
)

# Where an alias record for a network load balancer points, by region.
NETWORK_HOSTED_ZONES = {
    "eu-central-1": "Z3F0SRJ5LGBH90",
    "eu-north-1": "Z1UDT6IFJ4EJM",
    "eu-south-1": "Z23146JA1KNAFP",
    "eu-west-1": "Z2IFOLAFXWLO4F",
    "eu-west-2": "ZD4D7Y8KGAS4G",
    "eu-west-3": "Z1CMS0P5QUZ6D5",
    "us-east-1": "Z26RNL4JYFTOTI",
    "us-east-2": "ZLMOA37VPKANP",
    "us-west-1": "Z24FKFUX50B4VW",
    "us-west-2": "Z18D5FSROUN65G",
}


@mend.around(ELBv2Backend, "create_load_balancer")
def create_load_balancer(original, elbv2, name, security_groups, subnet_ids, *args, **kwargs):
    _check_name(name)
    kind = kwargs.get("loadbalancer_type") or "application"
    kwargs["scheme"] = kwargs.get("scheme") or "internet-facing"
    for other in elbv2.load_balancers.values():
        if other.name == name:
            asked = (kind, kwargs["scheme"])
            wanted = set(subnet_ids or []) | {mapping["SubnetId"] for mapping in kwargs.get("subnet_mappings") or []}
            if (other.type, other.scheme) == asked and {subnet.id for subnet in other.subnets} == wanted:
                return other  # the request is idempotent
            raise DuplicateLoadBalancerName()

    balancer = original(elbv2, name, security_groups, subnet_ids, *args, **kwargs)
    identity = balancer.arn.rpartition("/")[2]
    if balancer.type == "network":
        _rename(elbv2, balancer, balancer.arn.replace(":loadbalancer/app/", ":loadbalancer/net/"))
        balancer.dns_name = f"{name}-{identity}.elb.{elbv2.region_name}.amazonaws.com"
        balancer.canonical_hosted_zone_id = NETWORK_HOSTED_ZONES.get(
            elbv2.region_name, balancer.canonical_hosted_zone_id
        )
    else:
        prefix = "internal-" if balancer.scheme == "internal" else ""
        number = int(identity, 16) % 10**10
        balancer.dns_name = f"{prefix}{name}-{number}.{elbv2.region_name}.elb.amazonaws.com"
    return balancer


def _check_name(name):
    if not 0 < len(name) <= 32:
        raise ValidationError(f"The load balancer name '{name}' cannot be longer than '32' characters")
    if not re.fullmatch(r"[A-Za-z0-9-]+", name):
        raise ValidationError(
            f"The load balancer name '{name}' can only contain characters that are alphanumeric characters and hyphens(-)"
        )
    if name.startswith("-") or name.endswith("-"):
        raise ValidationError(f"The load balancer name '{name}' cannot begin or end with a hyphen(-)")
    if name.startswith("internal-"):
        raise ValidationError(f"The load balancer name '{name}' cannot begin with 'internal-'")


def _rename(elbv2, balancer, arn):
    del elbv2.load_balancers[balancer.arn]
    tags = elbv2.tagging_service.list_tags_for_resource(balancer.arn)["Tags"]
    elbv2.tagging_service.delete_all_tags_for_resource(balancer.arn)
    balancer.arn = arn
    elbv2.load_balancers[arn] = balancer
    elbv2.tagging_service.tag_resource(arn, tags)


@mend.instead(ELBv2Backend, "describe_load_balancers")
def describe_load_balancers(elbv2, arns, names):
    for balancer in elbv2.load_balancers.values():
        balancer.activate()
    if not arns and not names:
        return list(elbv2.load_balancers.values())
    found = [
        balancer
        for balancer in elbv2.load_balancers.values()
        if balancer.arn in (arns or []) or balancer.name in (names or [])
    ]
    if len(found) < len({*(arns or []), *(names or [])}):
        raise LoadBalancerNotFoundError()
    return found


@mend.around(ELBv2Backend, "delete_load_balancer")
def delete_load_balancer(original, elbv2, arn):
    balancer = elbv2.load_balancers.get(arn)
    if balancer is not None and balancer.attrs.get("deletion_protection.enabled") == "true":
        raise ELBClientError(
            "OperationNotPermitted", f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled"
        )
    original(elbv2, arn)
    elbv2.tagging_service.delete_all_tags_for_resource(arn)
