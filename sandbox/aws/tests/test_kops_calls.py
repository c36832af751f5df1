"""Requests as kops 1.36 makes them, that no mend is about: moto must answer them as AWS does."""

import json

from support import IMAGE, Case


class Network(Case):
    def test_vpc_attributes(self):
        vpc, _ = self.network()
        self.aws.ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
        for attribute in ("EnableDnsHostnames", "EnableDnsSupport"):
            name = attribute[0].lower() + attribute[1:]
            answer = self.aws.ec2.describe_vpc_attribute(VpcId=vpc, Attribute=name)
            self.assertEqual({"Value": True}, answer[attribute])

    def test_security_group_rules(self):
        vpc, _ = self.network()
        nodes, masters = self.security_group(vpc, "-nodes"), self.security_group(vpc, "-masters")
        tag = [{"ResourceType": "security-group-rule", "Tags": [{"Key": "KubernetesCluster", "Value": self.name}]}]
        self.aws.ec2.authorize_security_group_ingress(
            GroupId=masters,
            IpPermissions=[{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "UserIdGroupPairs": [{"GroupId": nodes}]}],
            TagSpecifications=tag,
        )
        self.aws.ec2.authorize_security_group_ingress(
            GroupId=masters,
            IpPermissions=[{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}],
            TagSpecifications=tag,
        )
        self.aws.ec2.authorize_security_group_egress(
            GroupId=masters,
            IpPermissions=[{"IpProtocol": "-1", "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}],
            TagSpecifications=tag,
        )
        of_group = [{"Name": "group-id", "Values": [masters]}]
        rules = self.aws.ec2.describe_security_group_rules(Filters=of_group)["SecurityGroupRules"]
        seen = {
            (
                rule["IsEgress"],
                rule.get("FromPort"),
                rule.get("CidrIpv4") or rule.get("CidrIpv6") or rule.get("ReferencedGroupInfo", {}).get("GroupId"),
            )
            for rule in rules
        }
        self.assertEqual(
            {(False, 443, nodes), (False, 22, "10.0.0.0/8"), (True, -1, "::/0"), (True, -1, "0.0.0.0/0")}, seen
        )
        for rule in rules:
            if rule.get("CidrIpv4") != "0.0.0.0/0":
                self.assertEqual(tag[0]["Tags"], rule["Tags"])

        ingress = [rule["SecurityGroupRuleId"] for rule in rules if not rule["IsEgress"]]
        self.aws.ec2.revoke_security_group_ingress(GroupId=masters, SecurityGroupRuleIds=ingress)
        rules = self.aws.ec2.describe_security_group_rules(Filters=of_group)["SecurityGroupRules"]
        self.assertEqual([True, True], [rule["IsEgress"] for rule in rules])

    def test_routes(self):
        vpc, (subnet, *_) = self.network()
        tags = [{"Key": "Name", "Value": self.name}]
        table = self.aws.ec2.create_route_table(
            VpcId=vpc, TagSpecifications=[{"ResourceType": "route-table", "Tags": tags}]
        )["RouteTable"]["RouteTableId"]
        self.aws.ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
        address = self.aws.ec2.allocate_address(Domain="vpc")["AllocationId"]
        nat = self.aws.ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address)["NatGateway"]["NatGatewayId"]
        self.aws.ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat)
        (found,) = self.aws.ec2.describe_route_tables(Filters=[{"Name": "tag:Name", "Values": [self.name]}])["RouteTables"]
        self.assertIn(nat, [route.get("NatGatewayId") for route in found["Routes"]])
        (found,) = self.aws.ec2.describe_route_tables(
            Filters=[{"Name": "association.subnet-id", "Values": [subnet]}]
        )["RouteTables"]
        self.assertEqual(table, found["RouteTableId"])

    def test_volumes(self):
        tags = [{"Key": f"kubernetes.io/cluster/{self.name}", "Value": "owned"}, {"Key": "Name", "Value": "a.etcd"}]
        volume = self.aws.ec2.create_volume(
            AvailabilityZone="eu-central-1a",
            Size=20,
            VolumeType="gp3",
            Iops=3000,
            Throughput=125,
            Encrypted=True,
            TagSpecifications=[{"ResourceType": "volume", "Tags": tags}],
        )["VolumeId"]
        filters = [{"Name": f"tag:{tag['Key']}", "Values": [tag["Value"]]} for tag in tags]
        (found,) = self.aws.ec2.describe_volumes(Filters=filters)["Volumes"]
        self.assertEqual((volume, 3000, 125), (found["VolumeId"], found["Iops"], found["Throughput"]))

    def test_instances_by_tag_and_state(self):
        _, subnets = self.network()
        tags = [{"ResourceType": "instance", "Tags": [{"Key": "KubernetesCluster", "Value": self.name}]}]
        self.group(self.template(TagSpecifications=tags), subnets, size=2)
        found = self.aws.ec2.describe_instances(
            Filters=[
                {"Name": "tag:KubernetesCluster", "Values": [self.name]},
                {"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]},
            ]
        )
        ids = {instance["InstanceId"] for reservation in found["Reservations"] for instance in reservation["Instances"]}
        self.assertEqual(self.member_ids(), ids)

    def test_images(self):
        (image,) = self.aws.ec2.describe_images(ImageIds=[IMAGE])["Images"]
        self.assertTrue(image["RootDeviceName"])
        types = self.aws.ec2.describe_instance_types(InstanceTypes=["t3.medium"])["InstanceTypes"]
        self.assertEqual(2, types[0]["VCpuInfo"]["DefaultVCpus"])
        zones = self.aws.ec2.describe_availability_zones()["AvailabilityZones"]
        self.assertEqual({"eu-central-1a", "eu-central-1b", "eu-central-1c"}, {zone["ZoneName"] for zone in zones})


class Groups(Case):
    def test_by_tag_values(self):
        _, subnets = self.network()
        tag = {"Key": "KubernetesCluster", "Value": self.name, "PropagateAtLaunch": True, "ResourceId": self.name}
        self.group(self.template(), subnets, Tags=[{**tag, "ResourceType": "auto-scaling-group"}])
        tags = self.aws.autoscaling.describe_tags(Filters=[{"Name": "value", "Values": [self.name]}])["Tags"]
        self.assertEqual([(self.name, "auto-scaling-group")], [(tag["ResourceId"], tag["ResourceType"]) for tag in tags])

    def test_metrics_and_processes(self):
        _, subnets = self.network()
        self.group(self.template(), subnets)
        self.aws.autoscaling.enable_metrics_collection(
            AutoScalingGroupName=self.name, Granularity="1Minute", Metrics=["GroupMinSize"]
        )
        self.aws.autoscaling.suspend_processes(AutoScalingGroupName=self.name, ScalingProcesses=["AZRebalance"])
        (group,) = self.aws.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[self.name])["AutoScalingGroups"]
        self.assertEqual([{"Metric": "GroupMinSize", "Granularity": "1Minute"}], group["EnabledMetrics"])
        self.assertEqual(["AZRebalance"], [process["ProcessName"] for process in group["SuspendedProcesses"]])


class Identities(Case):
    def test_role_for_service_account(self):
        issuer = f"https://{self.name}.s3.eu-central-1.amazonaws.com/dev.example.net"
        thumbprints = ["9e99a48a9960b14926bb7f3b02e22da2b0ab7280", "a9d53002e97e00e043244f3d170d6f4c414104fd"]
        provider = self.aws.iam.create_open_id_connect_provider(
            Url=issuer, ClientIDList=["amazonaws.com"], ThumbprintList=thumbprints, Tags=[{"Key": "a", "Value": "b"}]
        )["OpenIDConnectProviderArn"]
        self.assertTrue(provider.endswith(f":oidc-provider/{issuer.removeprefix('https://')}"), provider)
        described = self.aws.iam.get_open_id_connect_provider(OpenIDConnectProviderArn=provider)
        self.assertEqual((["amazonaws.com"], sorted(thumbprints)), (described["ClientIDList"], sorted(described["ThumbprintList"])))
        listed = self.aws.iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
        self.assertIn(provider, [item["Arn"] for item in listed])

        role = f"cert-manager.{self.name}"
        action = {"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity", "Principal": {"Federated": provider}}
        trust = {"Version": "2012-10-17", "Statement": [action]}
        self.aws.iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(trust), Tags=[{"Key": "a", "Value": "b"}])
        policy = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "route53:GetChange", "Resource": "arn:aws:route53:::change/*"}],
        }
        self.aws.iam.put_role_policy(RoleName=role, PolicyName=role, PolicyDocument=json.dumps(policy))
        got = self.aws.iam.get_role_policy(RoleName=role, PolicyName=role)["PolicyDocument"]
        self.assertEqual(policy, got)
        got = self.aws.iam.get_role(RoleName=role)["Role"]
        self.assertEqual(trust, got["AssumeRolePolicyDocument"])
        self.assertEqual([{"Key": "a", "Value": "b"}], got["Tags"])
        self.refused("NoSuchEntity", self.aws.iam.get_role_policy, RoleName=role, PolicyName="none")
        self.refused("DeleteConflict", self.aws.iam.delete_role, RoleName=role)

    def test_instance_profile(self):
        role = f"nodes.{self.name}"
        self.aws.iam.create_role(RoleName=role, AssumeRolePolicyDocument="{}")
        self.aws.iam.create_instance_profile(InstanceProfileName=role, Tags=[{"Key": "a", "Value": "b"}])
        self.aws.iam.add_role_to_instance_profile(InstanceProfileName=role, RoleName=role)
        profile = self.aws.iam.get_instance_profile(InstanceProfileName=role)["InstanceProfile"]
        self.assertEqual(([role], [{"Key": "a", "Value": "b"}]), ([item["RoleName"] for item in profile["Roles"]], profile["Tags"]))
        self.refused("NoSuchEntity", self.aws.iam.get_instance_profile, InstanceProfileName="none")
        self.refused("NoSuchEntity", self.aws.iam.get_role, RoleName="none")


class TerminationHandler(Case):
    def test_queue_and_rules(self):
        queue = self.aws.sqs.create_queue(
            QueueName=self.name, Attributes={"MessageRetentionPeriod": "300"}, tags={"KubernetesCluster": self.name}
        )["QueueUrl"]
        listed = self.aws.sqs.list_queues(QueueNamePrefix=self.name)["QueueUrls"]
        self.assertEqual([queue], listed)
        attributes = self.aws.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
        self.assertEqual("300", attributes["MessageRetentionPeriod"])
        self.assertEqual({"KubernetesCluster": self.name}, self.aws.sqs.list_queue_tags(QueueUrl=queue)["Tags"])

        pattern = {"source": ["aws.autoscaling"], "detail-type": ["EC2 Instance-terminate Lifecycle Action"]}
        rule = f"{self.name}-ASGLifecycle"
        arn = self.aws.events.put_rule(Name=rule, EventPattern=json.dumps(pattern), Tags=[{"Key": "a", "Value": "b"}])["RuleArn"]
        self.aws.events.put_targets(Rule=rule, Targets=[{"Id": "1", "Arn": attributes["QueueArn"]}])
        (found,) = self.aws.events.list_rules(NamePrefix=self.name)["Rules"]
        self.assertEqual((arn, pattern), (found["Arn"], json.loads(found["EventPattern"])))
        self.assertEqual([{"Key": "a", "Value": "b"}], self.aws.events.list_tags_for_resource(ResourceARN=arn)["Tags"])
        (target,) = self.aws.events.list_targets_by_rule(Rule=rule)["Targets"]
        self.assertEqual(attributes["QueueArn"], target["Arn"])
        self.aws.events.remove_targets(Rule=rule, Ids=["1"])
        self.aws.events.delete_rule(Name=rule)
        self.aws.sqs.delete_queue(QueueUrl=queue)
        self.assertNotIn("QueueUrls", self.aws.sqs.list_queues(QueueNamePrefix=self.name))
