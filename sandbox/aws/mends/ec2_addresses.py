"""Private addresses of instances and network interfaces."""

import ipaddress

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import nat_gateways
from moto.ec2.models.elastic_network_interfaces import NetworkInterfaceBackend
from moto.ec2.models.subnets import Subnet

from . import Mend

mend = Mend(
    __name__,
    service="EC2",
    moto="counts a subnet's addresses with a generator that a restart rewinds to the reserved ones; gives load "
    "balancers and NAT gateways random addresses, taken ones and ones outside the subnet among them",
    aws="gives every interface an unused address of its subnet, never the first four or the last",
    source="VPC User Guide: Subnet CIDR blocks",
)

RESERVED = 4  # network, router, DNS, future use; the broadcast address is reserved too


def allocate(subnet):
    """The next unused address, which is not the one that was freed last: names are made of addresses."""
    used = {
        address["PrivateIpAddress"]
        for interface in subnet.ec2_backend.enis.values()
        if interface.subnet.id == subnet.id
        for address in interface.private_ip_addresses
    }
    used.update(subnet._subnet_ips)
    first, last = RESERVED, subnet.cidr.num_addresses - 2
    begin = getattr(subnet, "next_address", first)
    for offset in range(last - first + 1):
        index = first + (begin - first + offset) % (last - first + 1)
        address = subnet.cidr.network_address + index
        if str(address) not in used and address not in subnet._reserved_ips:
            subnet.next_address = index + 1
            return str(address)
    raise EC2ClientError(
        "InsufficientFreeAddressesInSubnet",
        f"There are not enough free addresses in subnet '{subnet.id}' to satisfy the request.",
    )


@mend.instead(Subnet, "get_available_subnet_ip")
def get_available_subnet_ip(subnet, instance):
    address = allocate(subnet)
    subnet._subnet_ips[address] = instance
    return address


@mend.instead(Subnet, "del_subnet_ip")
def del_subnet_ip(subnet, ip):
    subnet._subnet_ips.pop(ip, None)


@mend.around(NetworkInterfaceBackend, "create_network_interface")
def create_network_interface(original, ec2, subnet, private_ip_address, private_ip_addresses=None, *args, **kwargs):
    if isinstance(subnet, str):
        subnet = ec2.get_subnet(subnet)
    if not private_ip_address and not private_ip_addresses and isinstance(subnet.cidr, ipaddress.IPv4Network):
        private_ip_address = allocate(subnet)
    return original(ec2, subnet, private_ip_address, private_ip_addresses, *args, **kwargs)


@mend.instead(nat_gateways, "random_private_ip")
def random_private_ip():
    return ""  # the interface that moto makes with it gets its subnet's next address
