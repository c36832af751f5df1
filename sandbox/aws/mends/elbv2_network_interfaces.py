"""The network interfaces of load balancers."""

from moto.ec2.models.elastic_network_interfaces import NetworkInterface
from moto.elbv2.models import ELBv2Backend

from . import Mend

mend = Mend(
    __name__,
    service="ELBv2",
    moto="makes none",
    aws="makes one in each subnet, described 'ELB net/NAME/ID', with the balancer's security groups: kops reads the "
    "API's addresses from them, and they keep subnets and groups from being deleted",
    source="User Guide for Network Load Balancers: Availability Zones; "
    "EC2 API Reference: NetworkInterface (InterfaceType network_load_balancer, RequesterManaged)",
)


@mend.around(ELBv2Backend, "create_load_balancer")
def create_load_balancer(original, elbv2, *args, **kwargs):
    balancer = original(elbv2, *args, **kwargs)
    wanted = {mapping["SubnetId"]: mapping for mapping in kwargs.get("subnet_mappings") or []}
    _sync(elbv2, balancer, {key: mapping.get("PrivateIPv4Address") for key, mapping in wanted.items()})
    return balancer


@mend.around(ELBv2Backend, "set_subnets")
def set_subnets(original, elbv2, arn, *args, **kwargs):
    zones = original(elbv2, arn, *args, **kwargs)
    _sync(elbv2, elbv2.load_balancers[arn])
    return zones


@mend.around(ELBv2Backend, "set_security_groups")
def set_security_groups(original, elbv2, arn, *args, **kwargs):
    original(elbv2, arn, *args, **kwargs)
    _sync(elbv2, elbv2.load_balancers[arn])


@mend.around(ELBv2Backend, "delete_load_balancer")
def delete_load_balancer(original, elbv2, arn):
    original(elbv2, arn)
    for interface in _interfaces(elbv2, arn):
        interface.delete()


def _interfaces(elbv2, arn):
    return [interface for interface in elbv2.ec2_backend.enis.values() if getattr(interface, "balancer", None) == arn]


def _sync(elbv2, balancer, addresses=None):
    """Makes the balancer's interfaces those of its subnets and groups."""
    ec2 = elbv2.ec2_backend
    subnets = {subnet.id: subnet for subnet in balancer.subnets}
    there = {interface.subnet.id: interface for interface in _interfaces(elbv2, balancer.arn)}
    for subnet_id in there.keys() - subnets.keys():
        there.pop(subnet_id).delete()
    for subnet_id, subnet in subnets.items():
        if subnet_id not in there:
            interface = there[subnet_id] = ec2.create_network_interface(
                subnet, (addresses or {}).get(subnet_id), description=f"ELB {balancer.arn.partition(':loadbalancer/')[2]}"
            )
            interface.balancer = balancer.arn
            interface.interface_type = "network_load_balancer" if balancer.type == "network" else "interface"
            interface.requester_managed = True
            interface.requester_id = "amazon-elb"
            interface.status = "in-use"
        there[subnet_id]._group_set = [ec2.get_security_group_from_id(i) for i in balancer.security_groups or []]


@mend.around(NetworkInterface, "get_filter_value")
def get_filter_value(original, interface, filter_name, method_name=None):
    if filter_name == "requester-managed":
        return str(interface.requester_managed).lower()
    return original(interface, filter_name, method_name)
