import base64
import json
import stat
import tempfile
import threading
import time
from importlib.metadata import version
from pathlib import Path

from support import REGION, Case, ForkedServer, Server


class Persistence(Case):
    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.state = Path(folder.name) / "aws" / "state"
        self.start()

    def start(self):
        self.aws = ForkedServer(self.state)
        self.addCleanup(self.aws.stop)

    def build(self):
        vpc, subnets = self.network()
        group = self.security_group(vpc)
        template = self.template(
            UserData=base64.b64encode(b"boot").decode(), NetworkInterfaces=[{"DeviceIndex": 0, "Groups": [group]}]
        )
        target_group = self.target_group(vpc)
        balancer = self.balancer(subnets, SecurityGroups=[group])
        self.listener(balancer, target_group)
        self.group(template, subnets, size=3, TargetGroupARNs=[target_group])
        self.new_version(template, InstanceType="t3.large")
        zone = self.aws.route53.create_hosted_zone(Name="example.net", CallerReference="1")["HostedZone"]["Id"]
        alias = {"HostedZoneId": "Z3F0SRJ5LGBH90", "DNSName": balancer["DNSName"], "EvaluateTargetHealth": False}
        self.aws.route53.change_resource_record_sets(
            HostedZoneId=zone,
            ChangeBatch={
                "Changes": [
                    {
                        "Action": "CREATE",
                        "ResourceRecordSet": {"Name": "*.k.dev.example.net", "Type": "A", "AliasTarget": alias},
                    }
                ]
            },
        )
        self.aws.s3.create_bucket(Bucket="store", CreateBucketConfiguration={"LocationConstraint": REGION})
        self.aws.s3.put_object(Bucket="store", Key="dev/config", Body=b"small")
        self.aws.s3.put_object(Bucket="store", Key="dev/large", Body=b"l" * 3_000_000)
        self.aws.iam.create_role(RoleName="nodes", AssumeRolePolicyDocument="{}")
        self.aws.iam.create_instance_profile(InstanceProfileName="nodes")
        queue = self.aws.sqs.create_queue(QueueName="nth")["QueueUrl"]
        self.aws.sqs.send_message(QueueUrl=queue, MessageBody="kept")
        self.aws.events.put_rule(Name="rule", EventPattern='{"source": ["aws.ec2"]}')
        self.zone, self.target = zone, target_group

    def picture(self):
        """All that a client can see, as text."""
        aws = self.aws
        answers = [
            aws.ec2.describe_vpcs(),
            aws.ec2.describe_subnets(),
            aws.ec2.describe_security_groups(),
            aws.ec2.describe_security_group_rules(),
            aws.ec2.describe_network_interfaces(),
            aws.ec2.describe_instances(),
            aws.ec2.describe_volumes(),
            aws.ec2.describe_tags(),
            aws.ec2.describe_launch_template_versions(LaunchTemplateName=self.name),
            aws.autoscaling.describe_auto_scaling_groups(),
            aws.autoscaling.describe_scaling_activities(),
            aws.elbv2.describe_load_balancers(),
            aws.elbv2.describe_target_groups(),
            aws.elbv2.describe_target_health(TargetGroupArn=self.target),
            aws.route53.list_hosted_zones(),
            aws.route53.list_resource_record_sets(HostedZoneId=self.zone),
            aws.s3.list_objects_v2(Bucket="store"),
            aws.iam.list_roles(),
            aws.iam.list_instance_profiles(),
            aws.sqs.list_queues(),
            aws.events.list_rules(),
        ]
        for answer in answers:
            del answer["ResponseMetadata"]
        text = json.dumps(answers, default=str, sort_keys=True, indent=1)
        return text.replace(aws.url, "")  # queues are named after the server

    def test_survives_a_crash_and_can_be_changed(self):
        self.build()
        before = self.picture()
        self.aws.settle()
        self.aws.kill()
        self.start()
        self.assertEqual(before, self.picture())
        self.assertEqual(b"l" * 3_000_000, self.aws.s3.get_object(Bucket="store", Key="dev/large")["Body"].read())
        (message,) = self.aws.sqs.receive_message(QueueUrl=self.aws.url + "/123456789012/nth")["Messages"]
        self.assertEqual("kept", message["Body"])

        old = sorted(self.member_ids())
        self.aws.ec2.terminate_instances(InstanceIds=old[:1])
        self.assertEqual(3, len(self.members()))
        self.assertEqual(["1", "1", "2"], sorted(member["LaunchTemplate"]["Version"] for member in self.members()))
        health = self.aws.elbv2.describe_target_health(TargetGroupArn=self.target)["TargetHealthDescriptions"]
        self.assertEqual(
            {member: "healthy" for member in self.member_ids()},
            {target["Target"]["Id"]: target["TargetHealth"]["State"] for target in health},
        )
        addresses = [
            interface["PrivateIpAddress"] for interface in self.aws.ec2.describe_network_interfaces()["NetworkInterfaces"]
        ]
        self.assertEqual(len(addresses), len(set(addresses)), addresses)
        self.aws.s3.put_object(Bucket="store", Key="dev/config", Body=b"changed")
        self.assertEqual(b"changed", self.aws.s3.get_object(Bucket="store", Key="dev/config")["Body"].read())

    def test_ends_with_its_state_written(self):
        self.network()
        vpcs = self.aws.ec2.describe_vpcs()["Vpcs"]
        self.assertEqual(0, self.aws.stop())
        self.assertEqual(0o600, stat.S_IMODE(self.state.stat().st_mode))
        self.assertEqual([self.state.name], [path.name for path in self.state.parent.iterdir()])
        self.start()
        self.assertEqual(vpcs, self.aws.ec2.describe_vpcs()["Vpcs"])

    def test_first_read_is_kept(self):
        """A read makes the default VPC, with an ID that a client may keep."""
        vpcs = self.aws.ec2.describe_vpcs()["Vpcs"]
        self.aws.settle()
        self.aws.kill()
        self.start()
        self.assertEqual(vpcs, self.aws.ec2.describe_vpcs()["Vpcs"])

    def test_constant_change_is_written_too(self):
        stop = time.monotonic() + 3.5
        while time.monotonic() < stop:
            self.aws.iam.create_role(RoleName=f"r{time.monotonic_ns()}", AssumeRolePolicyDocument="{}")
        written = self.aws.health()["snapshot"]["written"]
        self.assertGreaterEqual(written, 1)
        self.assertLessEqual(written, 3)

    def test_unchanged_state_is_not_written(self):
        self.aws.ec2.describe_vpcs()
        self.aws.iam.list_roles()
        self.aws.settle()
        before = self.state.stat().st_mtime_ns
        for _ in range(5):
            self.aws.ec2.describe_vpcs()
            self.aws.iam.list_roles()
        time.sleep(0.6)
        self.assertEqual(before, self.state.stat().st_mtime_ns)

    def test_state_that_cannot_be_read(self):
        self.assertEqual(0, self.aws.stop())
        self.state.write_bytes(b"rubbish")
        with self.assertRaisesRegex(AssertionError, f"restoring the state from {self.state}: it cannot be read.*delete the file"):
            Server(self.state)

    def test_state_of_another_version(self):
        self.network()
        self.assertEqual(0, self.aws.stop())
        data = self.state.read_bytes()
        moto = version("moto").encode()
        self.assertIn(moto, data)
        self.state.write_bytes(data.replace(moto, b"0" * len(moto), 1))
        with self.assertRaisesRegex(AssertionError, "it was written by moto 0+"):
            Server(self.state)

    def test_state_that_cannot_be_written(self):
        """The sandbox goes on, and says what is wrong."""
        self.network()
        self.aws.settle()
        self.state.unlink()
        self.state.mkdir()
        self.network()
        self.aws.settle()
        end = time.monotonic() + 5
        while not self.aws.health()["snapshot"]["error"] and time.monotonic() < end:
            time.sleep(0.05)
        self.assertIn(f"writing the state to {self.state}", self.aws.health()["snapshot"]["error"])
        self.assertEqual(3, len(self.aws.ec2.describe_vpcs()["Vpcs"]))
        self.network()
        self.assertEqual(1, self.aws.stop())


class ManyClients(Case):
    def test_at_once(self):
        """One lock, no lost update: what kops does with its tasks in parallel."""
        vpc, _ = self.network()
        group = self.security_group(vpc)
        failures = []

        def work(number):
            try:
                client = self.aws.client("ec2")
                for index in range(6):
                    client.authorize_security_group_ingress(
                        GroupId=group, CidrIp=f"10.{number}.{index}.0/24", IpProtocol="tcp", FromPort=1, ToPort=2
                    )
            except Exception as error:  # a thread's exception is nobody's
                failures.append(error)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(9)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual([], failures)
        rules = self.aws.ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])
        self.assertEqual(54, len([rule for rule in rules["SecurityGroupRules"] if not rule["IsEgress"]]))
