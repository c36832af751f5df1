from support import IMAGE, ZONES, Case, shows


class LaunchTemplates(Case):
    @shows("launch_template_fields")
    def test_fields_reach_the_groups_instances(self):
        vpc, subnets = self.network()
        group = self.security_group(vpc)
        self.aws.iam.create_instance_profile(InstanceProfileName=self.name)
        template = self.template(
            KeyName="somebody",
            EbsOptimized=True,
            IamInstanceProfile={"Name": self.name},
            Monitoring={"Enabled": True},
            MetadataOptions={"HttpTokens": "required", "HttpPutResponseHopLimit": 3},
            NetworkInterfaces=[{"DeviceIndex": 0, "Groups": [group], "DeleteOnTermination": True}],
            BlockDeviceMappings=[
                {"DeviceName": "/dev/sda1", "Ebs": {"VolumeSize": 64, "VolumeType": "gp3", "Encrypted": True, "DeleteOnTermination": True}},
                {"DeviceName": "/dev/xvdb", "Ebs": {"VolumeSize": 10, "VolumeType": "gp3", "DeleteOnTermination": True}},
                {"DeviceName": "/dev/sdc", "VirtualName": "ephemeral0"},
            ],
            TagSpecifications=[
                {"ResourceType": kind, "Tags": [{"Key": "of", "Value": kind}]}
                for kind in ("instance", "volume", "network-interface")
            ],
        )
        self.group(template, subnets)
        (instance,) = self.instances(self.member_ids())
        self.assertEqual([group], [item["GroupId"] for item in instance["SecurityGroups"]])
        self.assertRegex(instance["IamInstanceProfile"]["Arn"], f":instance-profile/{self.name}$")
        self.assertEqual(("required", 3), tuple(instance["MetadataOptions"][key] for key in ("HttpTokens", "HttpPutResponseHopLimit")))
        self.assertEqual("enabled", instance["Monitoring"]["State"])
        self.assertEqual("somebody", instance["KeyName"])
        self.assertTrue(instance["EbsOptimized"])
        self.assertIn({"Key": "of", "Value": "instance"}, instance["Tags"])

        (interface,) = self.aws.ec2.describe_network_interfaces(
            NetworkInterfaceIds=[instance["NetworkInterfaces"][0]["NetworkInterfaceId"]]
        )["NetworkInterfaces"]
        self.assertEqual([group], [item["GroupId"] for item in interface["Groups"]])
        self.assertEqual([{"Key": "of", "Value": "network-interface"}], interface["TagSet"])

        volumes = {volume["Attachments"][0]["Device"]: volume for volume in self.volumes(instance)}
        self.assertEqual({"/dev/sda1": 64, "/dev/xvdb": 10}, {device: volume["Size"] for device, volume in volumes.items()})
        self.assertTrue(volumes["/dev/sda1"]["Encrypted"])
        for volume in volumes.values():
            self.assertEqual([{"Key": "of", "Value": "volume"}], volume["Tags"])

        self.aws.ec2.terminate_instances(InstanceIds=[instance["InstanceId"]])
        self.assertEqual([], self.volumes(instance))
        remaining = self.aws.ec2.describe_network_interfaces(Filters=[{"Name": "vpc-id", "Values": [vpc]}])
        self.assertNotIn(interface["NetworkInterfaceId"], [item["NetworkInterfaceId"] for item in remaining["NetworkInterfaces"]])

    def test_profile_that_does_not_exist(self):
        """kops waits for a profile to be there by this code and message."""
        _, subnets = self.network()
        template = self.template(IamInstanceProfile={"Name": "none"})
        message = self.refused(
            "ValidationError",
            self.aws.autoscaling.create_auto_scaling_group,
            AutoScalingGroupName=self.name,
            MinSize=1,
            MaxSize=1,
            LaunchTemplate={"LaunchTemplateId": template},
            VPCZoneIdentifier=subnets[0],
        )
        self.assertIn("Invalid IAM Instance Profile name", message)

    def test_request_comes_before_template(self):
        vpc, subnets = self.network()
        theirs, ours = self.security_group(vpc, "-theirs"), self.security_group(vpc, "-ours")
        template = self.template(NetworkInterfaces=[{"DeviceIndex": 0, "Groups": [theirs]}])
        (instance,) = self.aws.ec2.run_instances(
            LaunchTemplate={"LaunchTemplateId": template},
            InstanceType="m5.large",
            SubnetId=subnets[1],
            SecurityGroupIds=[ours],
            MinCount=1,
            MaxCount=1,
        )["Instances"]
        self.assertEqual("m5.large", instance["InstanceType"])
        self.assertEqual([ours], [item["GroupId"] for item in instance["SecurityGroups"]])

    @shows("launch_template_pages")
    def test_more_than_a_page(self):
        names = {f"{self.name}-{index}" for index in range(18)}
        for name in sorted(names):
            self.aws.ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData={"ImageId": IMAGE})
        first = sorted(names)[0]
        for _ in range(17):
            self.aws.ec2.create_launch_template_version(LaunchTemplateName=first, LaunchTemplateData={"ImageId": IMAGE})
        listed = self.aws.ec2.describe_launch_templates()["LaunchTemplates"]
        self.assertLessEqual(names, {template["LaunchTemplateName"] for template in listed})
        self.assertEqual(18, len(self.aws.ec2.describe_launch_template_versions(LaunchTemplateName=first)["LaunchTemplateVersions"]))

        pages = self.aws.ec2.get_paginator("describe_launch_templates").paginate(PaginationConfig={"PageSize": 7})
        self.assertEqual(
            {template["LaunchTemplateName"] for template in listed},
            {template["LaunchTemplateName"] for page in pages for template in page["LaunchTemplates"]},
        )

    def volumes(self, instance):
        found = self.aws.ec2.describe_volumes(
            Filters=[{"Name": "attachment.instance-id", "Values": [instance["InstanceId"]]}]
        )
        return found["Volumes"]


class Instances(Case):
    @shows("ec2_volumes")
    def test_leave_nothing_behind(self):
        vpc, subnets = self.network()
        (instance,) = self.aws.ec2.run_instances(ImageId=IMAGE, SubnetId=subnets[0], MinCount=1, MaxCount=1)["Instances"]
        self.aws.ec2.terminate_instances(InstanceIds=[instance["InstanceId"]])
        in_vpc = [{"Name": "vpc-id", "Values": [vpc]}]
        self.assertEqual([], self.aws.ec2.describe_network_interfaces(Filters=in_vpc)["NetworkInterfaces"])
        attached = [{"Name": "attachment.instance-id", "Values": [instance["InstanceId"]]}]
        self.assertEqual([], self.aws.ec2.describe_volumes(Filters=attached)["Volumes"])

    @shows("ec2_terminated_instances")
    def test_terminated_twice(self):
        _, subnets = self.network()
        (instance,) = self.aws.ec2.run_instances(ImageId=IMAGE, SubnetId=subnets[0], MinCount=1, MaxCount=1)["Instances"]
        for previous in ("running", "terminated"):
            (change,) = self.aws.ec2.terminate_instances(InstanceIds=[instance["InstanceId"]])["TerminatingInstances"]
            self.assertEqual(previous, change["PreviousState"]["Name"])

    def test_interface_that_existed_before_stays(self):
        _, subnets = self.network()
        interface = self.aws.ec2.create_network_interface(SubnetId=subnets[0])["NetworkInterface"]["NetworkInterfaceId"]
        (instance,) = self.aws.ec2.run_instances(
            ImageId=IMAGE, MinCount=1, MaxCount=1, NetworkInterfaces=[{"DeviceIndex": 0, "NetworkInterfaceId": interface}]
        )["Instances"]
        self.aws.ec2.terminate_instances(InstanceIds=[instance["InstanceId"]])
        self.aws.ec2.describe_network_interfaces(NetworkInterfaceIds=[interface])

    def test_volume_that_is_not_to_go_stays(self):
        _, subnets = self.network()
        (instance,) = self.aws.ec2.run_instances(
            ImageId=IMAGE,
            SubnetId=subnets[0],
            MinCount=1,
            MaxCount=1,
            BlockDeviceMappings=[{"DeviceName": "/dev/xvdz", "Ebs": {"VolumeSize": 5, "DeleteOnTermination": False}}],
        )["Instances"]
        attached = [{"Name": "attachment.instance-id", "Values": [instance["InstanceId"]]}]
        volumes = self.aws.ec2.describe_volumes(Filters=attached)["Volumes"]
        data = next(volume["VolumeId"] for volume in volumes if volume["Size"] == 5)
        self.aws.ec2.terminate_instances(InstanceIds=[instance["InstanceId"]])
        (left,) = self.aws.ec2.describe_volumes(VolumeIds=[data])["Volumes"]
        self.assertEqual("available", left["State"])


class Addresses(Case):
    @shows("ec2_addresses")
    def test_are_of_the_subnet_and_unique(self):
        vpc, subnets = self.network(ZONES[:1])
        self.group(self.template(), subnets, size=3)
        self.balancer(subnets)
        address = self.aws.ec2.allocate_address(Domain="vpc")["AllocationId"]
        self.aws.ec2.create_nat_gateway(SubnetId=subnets[0], AllocationId=address)
        interfaces = self.aws.ec2.describe_network_interfaces(Filters=[{"Name": "vpc-id", "Values": [vpc]}])
        used = [interface["PrivateIpAddress"] for interface in interfaces["NetworkInterfaces"]]
        self.assertEqual([f"10.20.0.{number}" for number in range(4, 9)], sorted(used))

    def test_are_not_reused_at_once(self):
        """An instance's name is made of its address: a replacement must not take its predecessor's."""
        _, subnets = self.network(ZONES[:1])
        self.group(self.template(), subnets)
        (old,) = self.instances(self.member_ids())
        self.aws.ec2.terminate_instances(InstanceIds=[old["InstanceId"]])
        (new,) = self.instances(self.member_ids())
        self.assertNotEqual(old["PrivateDnsName"], new["PrivateDnsName"])

    def test_full_subnet(self):
        vpc = self.aws.ec2.create_vpc(CidrBlock="10.20.0.0/24")["Vpc"]["VpcId"]
        subnet = self.aws.ec2.create_subnet(VpcId=vpc, CidrBlock="10.20.0.0/28")["Subnet"]["SubnetId"]
        run = {"ImageId": IMAGE, "SubnetId": subnet, "MinCount": 11, "MaxCount": 11}
        self.aws.ec2.run_instances(**run)
        self.refused("InsufficientFreeAddressesInSubnet", self.aws.ec2.run_instances, **{**run, "MinCount": 1, "MaxCount": 1})


class Subnets(Case):
    @shows("ec2_subnet_dns")
    def test_dns_options(self):
        """kops sets them one by one, and compares all."""
        _, (subnet, *_) = self.network()
        self.aws.ec2.modify_subnet_attribute(SubnetId=subnet, PrivateDnsHostnameTypeOnLaunch="resource-name")
        self.aws.ec2.modify_subnet_attribute(SubnetId=subnet, EnableResourceNameDnsARecordOnLaunch={"Value": True})
        self.aws.ec2.modify_subnet_attribute(SubnetId=subnet, EnableResourceNameDnsAAAARecordOnLaunch={"Value": True})
        (described,) = self.aws.ec2.describe_subnets(SubnetIds=[subnet])["Subnets"]
        self.assertEqual(
            {"HostnameType": "resource-name", "EnableResourceNameDnsARecord": True, "EnableResourceNameDnsAAAARecord": True},
            described["PrivateDnsNameOptionsOnLaunch"],
        )

    @shows("ec2_vpc")
    def test_route_table_without_its_subnet(self):
        vpc, (subnet, *_) = self.network()
        table = self.aws.ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
        self.aws.ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
        self.refused("DependencyViolation", self.aws.ec2.delete_route_table, RouteTableId=table)
        self.aws.ec2.delete_subnet(SubnetId=subnet)
        self.aws.ec2.delete_route_table(RouteTableId=table)

    @shows("ec2_vpc")
    def test_dhcp_options_outlive_their_vpc(self):
        vpc = self.aws.ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
        options = self.aws.ec2.create_dhcp_options(
            DhcpConfigurations=[{"Key": "domain-name", "Values": ["eu-central-1.compute.internal"]}]
        )["DhcpOptions"]["DhcpOptionsId"]
        self.aws.ec2.associate_dhcp_options(VpcId=vpc, DhcpOptionsId=options)
        self.refused("DependencyViolation", self.aws.ec2.delete_dhcp_options, DhcpOptionsId=options)
        self.aws.ec2.delete_vpc(VpcId=vpc)
        self.aws.ec2.delete_dhcp_options(DhcpOptionsId=options)
        self.refused("InvalidDhcpOptionsID.NotFound", self.aws.ec2.delete_dhcp_options, DhcpOptionsId=options)


class Dependencies(Case):
    @shows("ec2_dependencies")
    def test_security_group_of_a_rule(self):
        vpc, _ = self.network()
        nodes, masters = self.security_group(vpc, "-nodes"), self.security_group(vpc, "-masters")
        rule = {
            "GroupId": nodes,
            "IpPermissions": [{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": masters}]}],
        }
        self.aws.ec2.authorize_security_group_ingress(**rule)
        self.refused("DependencyViolation", self.aws.ec2.delete_security_group, GroupId=masters)
        self.aws.ec2.revoke_security_group_ingress(**rule)
        self.aws.ec2.delete_security_group(GroupId=masters)

    def test_security_group_of_an_instance_and_of_a_balancer(self):
        vpc, subnets = self.network()
        group = self.security_group(vpc)
        (instance,) = self.aws.ec2.run_instances(
            ImageId=IMAGE, SubnetId=subnets[0], SecurityGroupIds=[group], MinCount=1, MaxCount=1
        )["Instances"]
        balancer = self.balancer(subnets, SecurityGroups=[group])
        self.refused("DependencyViolation", self.aws.ec2.delete_security_group, GroupId=group)
        self.refused("DependencyViolation", self.aws.ec2.delete_subnet, SubnetId=subnets[0])
        self.aws.ec2.terminate_instances(InstanceIds=[instance["InstanceId"]])
        self.refused("DependencyViolation", self.aws.ec2.delete_security_group, GroupId=group)
        self.refused("DependencyViolation", self.aws.ec2.delete_subnet, SubnetId=subnets[0])
        self.aws.elbv2.delete_load_balancer(LoadBalancerArn=balancer["LoadBalancerArn"])
        self.aws.ec2.delete_security_group(GroupId=group)
        self.aws.ec2.delete_subnet(SubnetId=subnets[0])

    def test_default_security_group(self):
        vpc, _ = self.network()
        (default,) = self.aws.ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["SecurityGroups"]
        self.refused("CannotDelete", self.aws.ec2.delete_security_group, GroupId=default["GroupId"])

    def test_vpc_goes_last(self):
        vpc, subnets = self.network(ZONES[:1])
        group = self.security_group(vpc)
        gateway = self.aws.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        self.aws.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
        self.refused("DependencyViolation", self.aws.ec2.delete_vpc, VpcId=vpc)
        self.aws.ec2.delete_subnet(SubnetId=subnets[0])
        self.refused("DependencyViolation", self.aws.ec2.delete_vpc, VpcId=vpc)
        self.aws.ec2.delete_security_group(GroupId=group)
        self.refused("DependencyViolation", self.aws.ec2.delete_vpc, VpcId=vpc)
        self.refused("DependencyViolation", self.aws.ec2.delete_internet_gateway, InternetGatewayId=gateway)
        self.aws.ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
        self.aws.ec2.delete_internet_gateway(InternetGatewayId=gateway)
        self.aws.ec2.delete_vpc(VpcId=vpc)
        self.refused("InvalidVpcID.NotFound", self.aws.ec2.delete_vpc, VpcId=vpc)
        in_vpc = [{"Name": "vpc-id", "Values": [vpc]}]
        for describe, found in (
            (self.aws.ec2.describe_network_acls, "NetworkAcls"),
            (self.aws.ec2.describe_route_tables, "RouteTables"),
            (self.aws.ec2.describe_security_groups, "SecurityGroups"),
        ):
            self.assertEqual([], describe(Filters=in_vpc)[found])


class NatGateways(Case):
    @shows("ec2_nat_gateway")
    def test_frees_its_address_and_interface(self):
        vpc, (subnet, *_) = self.network()
        address = self.aws.ec2.allocate_address(Domain="vpc")["AllocationId"]
        gateway = self.aws.ec2.create_nat_gateway(
            SubnetId=subnet,
            AllocationId=address,
            TagSpecifications=[{"ResourceType": "natgateway", "Tags": [{"Key": "KubernetesCluster", "Value": self.name}]}],
        )["NatGateway"]["NatGatewayId"]
        ours = [{"Name": "tag:KubernetesCluster", "Values": [self.name]}]
        found = self.aws.ec2.describe_nat_gateways(Filters=ours)["NatGateways"]
        self.assertEqual([gateway], [item["NatGatewayId"] for item in found])
        self.refused("InvalidIPAddress.InUse", self.aws.ec2.release_address, AllocationId=address)
        self.refused("DependencyViolation", self.aws.ec2.delete_subnet, SubnetId=subnet)

        (interface,) = self.aws.ec2.describe_network_interfaces(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["NetworkInterfaces"]
        self.assertEqual(
            ("in-use", "nat_gateway", []), tuple(interface[key] for key in ("Status", "InterfaceType", "Groups"))
        )

        self.aws.ec2.delete_nat_gateway(NatGatewayId=gateway)
        (described,) = self.aws.ec2.describe_nat_gateways(NatGatewayIds=[gateway])["NatGateways"]
        self.assertEqual("deleted", described["State"])
        self.aws.ec2.delete_nat_gateway(NatGatewayId=gateway)
        self.aws.ec2.release_address(AllocationId=address)
        self.aws.ec2.delete_subnet(SubnetId=subnet)
        self.refused("NatGatewayNotFound", self.aws.ec2.delete_nat_gateway, NatGatewayId="nat-0123456789abcdef0")


class Tags(Case):
    @shows("ec2_tags")
    def test_go_with_their_resource(self):
        tag = {"Key": "kubernetes.io/cluster/" + self.name, "Value": "owned"}
        vpc = self.aws.ec2.create_vpc(
            CidrBlock="10.20.0.0/16", TagSpecifications=[{"ResourceType": "vpc", "Tags": [tag]}]
        )["Vpc"]["VpcId"]
        subnet = self.aws.ec2.create_subnet(VpcId=vpc, CidrBlock="10.20.0.0/24")["Subnet"]["SubnetId"]
        self.aws.ec2.create_tags(Resources=[subnet], Tags=[tag])
        self.assertEqual({vpc, subnet}, self.tagged(tag))
        self.aws.ec2.delete_subnet(SubnetId=subnet)
        self.assertEqual({vpc}, self.tagged(tag))

    def tagged(self, tag):
        found = self.aws.ec2.describe_tags(Filters=[{"Name": "key", "Values": [tag["Key"]]}])
        return {item["ResourceId"] for item in found["Tags"]}
