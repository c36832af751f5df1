from support import IMAGE, Case, shows


class LoadBalancers(Case):
    @shows("elbv2_load_balancers")
    def test_names(self):
        _, subnets = self.network()
        create = self.aws.elbv2.create_load_balancer
        for name in ("a" * 33, "dev.example.net", "-dev", "dev-", "internal-dev"):
            with self.subTest(name):
                self.refused("ValidationError", create, Name=name, Subnets=subnets, Type="network")
        create(Name="a" * 32, Subnets=subnets, Type="network")

    def test_target_group_names(self):
        vpc, _ = self.network()
        for name in ("a" * 33, "dev.example.net", "-dev", "dev-"):
            with self.subTest(name):
                self.refused(
                    "ValidationError", self.aws.elbv2.create_target_group, Name=name, VpcId=vpc, Protocol="TCP", Port=443
                )

    def test_identity(self):
        _, subnets = self.network()
        network = self.balancer(subnets)
        self.assertRegex(network["LoadBalancerArn"], rf":loadbalancer/net/{self.name}/[0-9a-f]{{16}}$")
        self.assertRegex(network["DNSName"], rf"^{self.name}-[0-9a-f]{{16}}\.elb\.eu-central-1\.amazonaws\.com$")
        self.assertEqual("Z3F0SRJ5LGBH90", network["CanonicalHostedZoneId"])
        self.assertEqual("provisioning", network["State"]["Code"])
        (described,) = self.aws.elbv2.describe_load_balancers(Names=[self.name])["LoadBalancers"]
        self.assertEqual("active", described["State"]["Code"])
        self.assertEqual(network["DNSName"], described["DNSName"])

        application = self.aws.elbv2.create_load_balancer(Name=self.name + "a", Subnets=subnets, Scheme="internal")
        (application,) = application["LoadBalancers"]
        self.assertRegex(application["DNSName"], rf"^internal-{self.name}a-\d+\.eu-central-1\.elb\.amazonaws\.com$")

    def test_unique(self):
        vpc, subnets = self.network()
        first = self.balancer(subnets, Tags=[{"Key": "a", "Value": "b"}])
        self.assertEqual(first["LoadBalancerArn"], self.balancer(subnets)["LoadBalancerArn"], "the same request again")
        self.refused(
            "DuplicateLoadBalancerName", self.aws.elbv2.create_load_balancer, Name=self.name, Subnets=subnets, Type="application"
        )
        (tags,) = self.aws.elbv2.describe_tags(ResourceArns=[first["LoadBalancerArn"]])["TagDescriptions"]
        self.assertEqual([{"Key": "a", "Value": "b"}], tags["Tags"])
        target_group = self.target_group(vpc)
        self.assertEqual(target_group, self.target_group(vpc))
        self.refused(
            "DuplicateTargetGroupName", self.aws.elbv2.create_target_group, Name=self.name, VpcId=vpc, Protocol="TCP", Port=1
        )

    def test_one_of_several_missing(self):
        _, subnets = self.network()
        self.balancer(subnets)
        self.refused("LoadBalancerNotFound", self.aws.elbv2.describe_load_balancers, Names=[self.name, "none"])

    def test_deletion_protection(self):
        _, subnets = self.network()
        arn = self.balancer(subnets)["LoadBalancerArn"]
        protection = {"Key": "deletion_protection.enabled", "Value": "true"}
        self.aws.elbv2.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=[protection])
        self.refused("OperationNotPermitted", self.aws.elbv2.delete_load_balancer, LoadBalancerArn=arn)

    @shows("elbv2_subnets")
    def test_network_balancer_in_one_zone(self):
        _, subnets = self.network()
        arn = self.balancer(subnets[:1])["LoadBalancerArn"]
        self.aws.elbv2.set_subnets(LoadBalancerArn=arn, SubnetMappings=[{"SubnetId": subnets[1]}])
        (described,) = self.aws.elbv2.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"]
        self.assertEqual([subnets[1]], [zone["SubnetId"] for zone in described["AvailabilityZones"]])
        self.refused("SubnetNotFound", self.aws.elbv2.set_subnets, LoadBalancerArn=arn, Subnets=["subnet-0123456789abcdef0"])


class SecurityGroups(Case):
    @shows("elbv2_security_groups")
    def test_not_on_a_network_balancer_made_without(self):
        vpc, subnets = self.network()
        group = self.security_group(vpc)
        arn = self.balancer(subnets)["LoadBalancerArn"]
        self.refused(
            "InvalidConfigurationRequest", self.aws.elbv2.set_security_groups, LoadBalancerArn=arn, SecurityGroups=[group]
        )

    def test_kept_and_changed(self):
        vpc, subnets = self.network()
        one, two = self.security_group(vpc, "-one"), self.security_group(vpc, "-two")
        arn = self.balancer(subnets, SecurityGroups=[one])["LoadBalancerArn"]
        self.assertEqual([one], self.groups(arn))
        self.aws.elbv2.set_security_groups(LoadBalancerArn=arn, SecurityGroups=[one, two])
        self.assertEqual([one, two], self.groups(arn))
        self.refused("InvalidConfigurationRequest", self.aws.elbv2.set_security_groups, LoadBalancerArn=arn, SecurityGroups=[])
        self.refused("InvalidSecurityGroup", self.aws.elbv2.set_security_groups, LoadBalancerArn=arn, SecurityGroups=["sg-0"])

    def groups(self, arn):
        (described,) = self.aws.elbv2.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"]
        return described["SecurityGroups"]


class NetworkInterfaces(Case):
    @shows("elbv2_network_interfaces")
    def test_one_for_each_subnet(self):
        """kops finds the API's addresses by them, with these filters and this description."""
        vpc, subnets = self.network()
        group = self.security_group(vpc)
        balancer = self.balancer(subnets[:2], SecurityGroups=[group])
        identity = balancer["LoadBalancerArn"].rpartition("/")[2]
        interfaces = self.interfaces(vpc)
        self.assertEqual(set(subnets[:2]), {interface["SubnetId"] for interface in interfaces})
        for interface in interfaces:
            self.assertEqual(f"ELB net/{self.name}/{identity}", interface["Description"])
            self.assertEqual([group], [item["GroupId"] for item in interface["Groups"]])
            self.assertTrue(interface["RequesterManaged"])
            self.assertEqual("in-use", interface["Status"])
        self.aws.elbv2.set_subnets(LoadBalancerArn=balancer["LoadBalancerArn"], Subnets=subnets)
        self.assertEqual(set(subnets), {interface["SubnetId"] for interface in self.interfaces(vpc)})
        self.aws.elbv2.delete_load_balancer(LoadBalancerArn=balancer["LoadBalancerArn"])
        self.assertEqual([], self.interfaces(vpc))

    def interfaces(self, vpc):
        return self.aws.ec2.describe_network_interfaces(
            Filters=[
                {"Name": "vpc-id", "Values": [vpc]},
                {"Name": "interface-type", "Values": ["network_load_balancer"]},
            ]
        )["NetworkInterfaces"]


class Listeners(Case):
    @shows("elbv2_listeners")
    def test_target_groups_know_their_balancers(self):
        vpc, subnets = self.network()
        balancer = self.balancer(subnets)
        one, two = self.target_group(vpc, "-one"), self.target_group(vpc, "-two")
        listener = self.listener(balancer, one)
        self.assertEqual([balancer["LoadBalancerArn"]], self.balancers_of(one))
        self.aws.elbv2.modify_listener(ListenerArn=listener, DefaultActions=[{"Type": "forward", "TargetGroupArn": two}])
        self.assertEqual([], self.balancers_of(one))
        self.assertEqual([balancer["LoadBalancerArn"]], self.balancers_of(two))
        self.aws.elbv2.delete_load_balancer(LoadBalancerArn=balancer["LoadBalancerArn"])
        self.assertEqual([], self.balancers_of(two))

    def test_one_port_one_listener(self):
        vpc, subnets = self.network()
        balancer, target_group = self.balancer(subnets), self.target_group(vpc)
        self.listener(balancer, target_group)
        self.refused(
            "DuplicateListener",
            self.aws.elbv2.create_listener,
            LoadBalancerArn=balancer["LoadBalancerArn"],
            Protocol="TCP",
            Port=443,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": target_group}],
        )

    def test_target_group_of_one_balancer(self):
        vpc, subnets = self.network()
        target_group = self.target_group(vpc)
        self.listener(self.balancer(subnets), target_group)
        other = self.aws.elbv2.create_load_balancer(Name=self.name + "b", Subnets=subnets, Type="network")
        self.refused(
            "InvalidConfigurationRequest",
            self.aws.elbv2.create_listener,
            LoadBalancerArn=other["LoadBalancers"][0]["LoadBalancerArn"],
            Protocol="TCP",
            Port=443,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": target_group}],
        )

    def test_used_target_group_stays(self):
        vpc, subnets = self.network()
        target_group = self.target_group(vpc)
        listener = self.listener(self.balancer(subnets), target_group)
        self.refused("ResourceInUse", self.aws.elbv2.delete_target_group, TargetGroupArn=target_group)
        self.aws.elbv2.delete_listener(ListenerArn=listener)
        self.aws.elbv2.delete_target_group(TargetGroupArn=target_group)
        self.refused("ListenerNotFound", self.aws.elbv2.describe_listeners, ListenerArns=[listener])

    def test_other_protocols(self):
        vpc, subnets = self.network()
        target_group = self.target_group(vpc, Protocol="TCP_UDP", Port=53)
        listener = self.aws.elbv2.create_listener(
            LoadBalancerArn=self.balancer(subnets)["LoadBalancerArn"],
            Protocol="TCP_UDP",
            Port=53,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": target_group}],
        )["Listeners"][0]["ListenerArn"]
        (changed,) = self.aws.elbv2.modify_listener(ListenerArn=listener, Protocol="UDP")["Listeners"]
        self.assertEqual("UDP", changed["Protocol"])

    def balancers_of(self, target_group):
        (described,) = self.aws.elbv2.describe_target_groups(TargetGroupArns=[target_group])["TargetGroups"]
        return described["LoadBalancerArns"]


class TargetGroups(Case):
    @shows("elbv2_target_groups")
    def test_attributes(self):
        vpc, subnets = self.network()
        arn = self.target_group(vpc)
        attributes = self.attributes(arn)
        self.assertEqual(("false", "true"), (attributes["proxy_protocol_v2.enabled"], attributes["preserve_client_ip.enabled"]))
        self.aws.elbv2.modify_target_group_attributes(
            TargetGroupArn=arn, Attributes=[{"Key": "proxy_protocol_v2.enabled", "Value": "true"}]
        )
        self.assertEqual("true", self.attributes(arn)["proxy_protocol_v2.enabled"])
        self.refused(
            "ValidationError",
            self.aws.elbv2.modify_target_group_attributes,
            TargetGroupArn=arn,
            Attributes=[{"Key": "proxy_protocol.enabled", "Value": "true"}],
        )
        balancer = self.balancer(subnets)["LoadBalancerArn"]
        described = self.aws.elbv2.describe_load_balancer_attributes(LoadBalancerArn=balancer)["Attributes"]
        self.assertIn({"Key": "access_logs.s3.enabled", "Value": "false"}, described)
        self.refused(
            "ValidationError",
            self.aws.elbv2.modify_load_balancer_attributes,
            LoadBalancerArn=balancer,
            Attributes=[{"Key": "idle_timeout.timeout_seconds", "Value": "60"}],
        )

    def test_health_checks(self):
        vpc, _ = self.network()
        arn = self.target_group(vpc, HealthCheckProtocol="HTTP", HealthCheckPath="/nginx-health")
        self.assertEqual(("HTTP", "/nginx-health", "200-399", "traffic-port"), self.check(arn))
        self.aws.elbv2.modify_target_group(TargetGroupArn=arn, Matcher={"HttpCode": "200"})
        self.assertEqual(("HTTP", "/nginx-health", "200", "traffic-port"), self.check(arn))
        self.aws.elbv2.modify_target_group(TargetGroupArn=arn, HealthCheckProtocol="TCP")
        self.assertEqual(("TCP", None, None, "traffic-port"), self.check(arn))
        self.aws.elbv2.modify_target_group(TargetGroupArn=arn, HealthCheckProtocol="HTTPS", HealthCheckPath="/healthz")
        self.assertEqual(("HTTPS", "/healthz", "200-399", "traffic-port"), self.check(arn))

    def test_many_tags(self):
        vpc, _ = self.network()
        arn = self.target_group(vpc)
        tags = [{"Key": str(number), "Value": ""} for number in range(51)]
        self.refused("TooManyTags", self.aws.elbv2.add_tags, ResourceArns=[arn], Tags=tags)
        self.aws.elbv2.add_tags(ResourceArns=[arn], Tags=tags[:50])

    def attributes(self, arn):
        described = self.aws.elbv2.describe_target_group_attributes(TargetGroupArn=arn)
        return {attribute["Key"]: attribute["Value"] for attribute in described["Attributes"]}

    def check(self, arn):
        (group,) = self.aws.elbv2.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"]
        return (
            group["HealthCheckProtocol"],
            group.get("HealthCheckPath"),
            group.get("Matcher", {}).get("HttpCode"),
            group["HealthCheckPort"],
        )


class TargetHealth(Case):
    @shows("elbv2_targets")
    def test_by_what_became_of_the_target(self):
        vpc, subnets = self.network()
        target_group = self.target_group(vpc)
        run = self.aws.ec2.run_instances(ImageId=IMAGE, SubnetId=subnets[0], MinCount=1, MaxCount=1)
        near = run["Instances"][0]["InstanceId"]
        run = self.aws.ec2.run_instances(ImageId=IMAGE, SubnetId=subnets[2], MinCount=1, MaxCount=1)
        far = run["Instances"][0]["InstanceId"]
        targets = [{"Id": near}, {"Id": far}]
        self.aws.elbv2.register_targets(TargetGroupArn=target_group, Targets=targets)
        self.assertEqual(("unused", "Target.NotInUse"), self.health(target_group, near))
        self.listener(self.balancer(subnets[:2]), target_group)
        self.assertEqual(("healthy", None), self.health(target_group, near))
        self.assertEqual(("unused", "Target.NotInUse"), self.health(target_group, far))
        self.aws.ec2.stop_instances(InstanceIds=[near])
        self.assertEqual(("unused", "Target.InvalidState"), self.health(target_group, near))
        for _ in range(2):  # the second time there is nothing to do, which is no error
            self.aws.elbv2.deregister_targets(TargetGroupArn=target_group, Targets=[{"Id": near}])
        self.assertEqual(("unused", "Target.NotRegistered"), self.health(target_group, near))

    def health(self, target_group, target):
        (described,) = self.aws.elbv2.describe_target_health(TargetGroupArn=target_group, Targets=[{"Id": target}])[
            "TargetHealthDescriptions"
        ]
        return described["TargetHealth"]["State"], described["TargetHealth"].get("Reason")
