"""Starts the real server, speaks to it by the real SDK."""

import atexit
import json
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import time
import unittest
import urllib.error
import urllib.request
from functools import cache, cached_property
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

SERVER = Path(__file__).resolve().parent.parent / "server.py"
REGION = "eu-central-1"
ZONES = ("eu-central-1a", "eu-central-1b", "eu-central-1c")
IMAGE = "ami-000000005a0d0b0c2"  # Ubuntu 24.04, one of moto's built-in images


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """One process of the sandbox's AWS."""

    def __init__(self, state: Path | None = None, without: str = ""):
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        command = [sys.executable, str(SERVER), "--port", str(port)]
        if state:
            command += ["--state", str(state)]
        self.process = subprocess.Popen(
            command,
            env={**os.environ, "SANDBOX_AWS_WITHOUT": without},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        if not self.process.stdout.readline():
            _, errors = self.process.communicate()
            raise AssertionError(f"the server did not start: {errors}")

    def stop(self) -> int:
        """Ends the server as the sandbox does; returns its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=20)
        return self.process.returncode

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def health(self) -> dict:
        with urllib.request.urlopen(self.url + "/sandbox/health") as answer:
            return json.load(answer)

    def settle(self) -> None:
        """Waits until the state is written."""
        end = time.monotonic() + 10
        while self.health()["snapshot"]["pending"]:
            if time.monotonic() > end:
                raise AssertionError(f"the state is not written: {self.health()}")
            time.sleep(0.05)

    def client(self, service: str):
        # No retries: an answer 500 is to be seen, and not to be waited for.
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id="sandbox",
            aws_secret_access_key="sandbox",
            config=Config(retries={"max_attempts": 0}, s3={"addressing_style": "path"}),
        )

    autoscaling = cached_property(lambda self: self.client("autoscaling"))
    ec2 = cached_property(lambda self: self.client("ec2"))
    elbv2 = cached_property(lambda self: self.client("elbv2"))
    events = cached_property(lambda self: self.client("events"))
    iam = cached_property(lambda self: self.client("iam"))
    route53 = cached_property(lambda self: self.client("route53"))
    s3 = cached_property(lambda self: self.client("s3"))
    sqs = cached_property(lambda self: self.client("sqs"))


# Most of a server's start is importing moto: forked servers come from a process
# that has done so already. They are the same program otherwise.
# It finds modules by this variable alone.
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(Path(__file__).parent), os.environ.get("PYTHONPATH")]))
_fork = multiprocessing.get_context("forkserver")
_fork.set_forkserver_preload(["preloaded"])


def _serve(arguments, without):
    os.environ["SANDBOX_AWS_WITHOUT"] = without
    sys.argv = [str(SERVER), *arguments]
    import preloaded

    sys.stdout = sys.stderr = open(os.devnull, "w")  # whoever wants to see it starts a Server
    sys.exit(preloaded.server.main())


class ForkedServer(Server):
    """A server that starts in a tenth of the time, for tests that need their own."""

    def __init__(self, state: Path | None = None, without: str = ""):
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        arguments = ["--port", str(port), *(["--state", str(state)] if state else [])]
        self.process = _fork.Process(target=_serve, args=(arguments, without), daemon=True)
        self.process.start()
        end = time.monotonic() + 30
        while time.monotonic() < end and self.process.is_alive():
            try:
                self.health()
                return
            except urllib.error.URLError:
                time.sleep(0.02)
        raise AssertionError(f"the server did not start (exit code {self.process.exitcode})")

    def stop(self) -> int:
        self.process.terminate()
        self.process.join(20)
        return self.process.exitcode

    def kill(self) -> None:
        self.process.kill()
        self.process.join()


@cache
def shared() -> Server:
    """The server that all tests use that need none of their own."""
    server = Server()
    atexit.register(server.stop)
    return server


def shows(mend: str):
    """Marks the test that fails without a mend; test_controls.py makes sure of it."""

    def mark(test):
        test.shows = mend
        return test

    return mark


class Case(unittest.TestCase):
    """A test on the shared server, or on the one that a control gives it."""

    server: Server | None = None
    counter = 0

    def setUp(self):
        self.aws = self.server or shared()
        Case.counter += 1
        self.name = f"t{os.getpid() % 10000}-{Case.counter}"

    def refused(self, code, call, **arguments):
        """Calls, and wants the error with this code. Returns its message."""
        with self.assertRaises(ClientError) as caught:
            call(**arguments)
        error = caught.exception.response["Error"]
        self.assertEqual(code, error["Code"], error)
        return error["Message"]

    def network(self, zones=ZONES):
        """A VPC with a subnet in each zone: its ID and theirs."""
        vpc = self.aws.ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
        subnets = [
            self.aws.ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.20.{index}.0/24", AvailabilityZone=zone)["Subnet"]["SubnetId"]
            for index, zone in enumerate(zones)
        ]
        return vpc, subnets

    def security_group(self, vpc, suffix=""):
        return self.aws.ec2.create_security_group(VpcId=vpc, GroupName=self.name + suffix, Description="test")["GroupId"]

    def template(self, **data):
        data = {"ImageId": IMAGE, "InstanceType": "t3.medium", **data}
        created = self.aws.ec2.create_launch_template(LaunchTemplateName=self.name, LaunchTemplateData=data)
        return created["LaunchTemplate"]["LaunchTemplateId"]

    def new_version(self, template, **data):
        """A new default version, as kops makes one."""
        data = {"ImageId": IMAGE, "InstanceType": "t3.medium", **data}
        version = self.aws.ec2.create_launch_template_version(LaunchTemplateId=template, LaunchTemplateData=data)
        number = str(version["LaunchTemplateVersion"]["VersionNumber"])
        self.aws.ec2.modify_launch_template(LaunchTemplateId=template, DefaultVersion=number)

    def group(self, template, subnets, size=1, maximum=10, **arguments):
        self.aws.autoscaling.create_auto_scaling_group(
            AutoScalingGroupName=self.name,
            MinSize=arguments.pop("minimum", size),
            MaxSize=maximum,
            DesiredCapacity=size,
            LaunchTemplate={"LaunchTemplateId": template, "Version": "$Latest"},
            VPCZoneIdentifier=",".join(subnets),
            **arguments,
        )
        return self.name

    def members(self, group=None):
        groups = self.aws.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[group or self.name])
        return groups["AutoScalingGroups"][0]["Instances"]

    def member_ids(self, group=None):
        return {member["InstanceId"] for member in self.members(group)}

    def instances(self, ids):
        found = self.aws.ec2.describe_instances(InstanceIds=list(ids))
        return [instance for reservation in found["Reservations"] for instance in reservation["Instances"]]

    def balancer(self, subnets, **arguments):
        arguments = {"Type": "network", "Scheme": "internal", **arguments}
        return self.aws.elbv2.create_load_balancer(Name=self.name, Subnets=subnets, **arguments)["LoadBalancers"][0]

    def target_group(self, vpc, suffix="", **arguments):
        arguments = {"Protocol": "TCP", "Port": 30443, **arguments}
        created = self.aws.elbv2.create_target_group(Name=self.name + suffix, VpcId=vpc, **arguments)
        return created["TargetGroups"][0]["TargetGroupArn"]

    def listener(self, balancer, target_group, port=443):
        return self.aws.elbv2.create_listener(
            LoadBalancerArn=balancer["LoadBalancerArn"],
            Protocol="TCP",
            Port=port,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": target_group}],
        )["Listeners"][0]["ListenerArn"]
