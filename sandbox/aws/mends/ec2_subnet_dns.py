"""The DNS options of a subnet."""

from moto.ec2.responses.subnets import Subnets

from . import Mend

mend = Mend(
    __name__,
    service="EC2",
    moto="forgets PrivateDnsHostnameTypeOnLaunch and EnableResourceNameDnsAAAARecordOnLaunch: "
    "kops plans its resource-based names for ever",
    aws="keeps them and returns them as PrivateDnsNameOptionsOnLaunch",
    source="EC2 API Reference: ModifySubnetAttribute, Subnet",
)


@mend.around(Subnets, "modify_subnet_attribute")
def modify_subnet_attribute(original, response):
    options = response.ec2_backend.get_subnet(response._get_param("SubnetId")).private_dns_name_options_on_launch
    hostname_type = response._get_param("PrivateDnsHostnameTypeOnLaunch")
    if hostname_type is not None:
        options["HostnameType"] = hostname_type
    records = response._get_param("EnableResourceNameDnsAAAARecordOnLaunch.Value")
    if records is not None:
        options["EnableResourceNameDnsAAAARecord"] = records
    return original(response)
