import base64
from collections import Counter

from support import ZONES, Case, shows


class Launch(Case):
    @shows("autoscaling_launch")
    def test_spreads_over_zones(self):
        _, subnets = self.network()
        self.group(self.template(), subnets, size=5)
        zones = Counter(member["AvailabilityZone"] for member in self.members())
        self.assertEqual([1, 2, 2], sorted(zones.values()), zones)
        self.assertEqual(set(ZONES), set(zones))

        gone = next(member["InstanceId"] for member in self.members() if zones[member["AvailabilityZone"]] == 1)
        self.aws.ec2.terminate_instances(InstanceIds=[gone])
        zones = Counter(member["AvailabilityZone"] for member in self.members())
        self.assertEqual([1, 2, 2], sorted(zones.values()), "the replacement goes where one is missing")

    @shows("autoscaling_launch")
    def test_template_gone(self):
        _, subnets = self.network()
        template = self.template()
        self.group(template, subnets, size=2)
        self.aws.ec2.delete_launch_template(LaunchTemplateId=template)
        self.aws.ec2.terminate_instances(InstanceIds=[self.members()[0]["InstanceId"]])
        self.assertEqual(1, len(self.members()), "nothing to launch a replacement from")
        activity = self.aws.autoscaling.describe_scaling_activities(AutoScalingGroupName=self.name)["Activities"][0]
        self.assertEqual("Failed", activity["StatusCode"])
        self.assertIn(template, activity["StatusMessage"])

    def test_launch_suspended(self):
        _, subnets = self.network()
        self.group(self.template(), subnets, size=2)
        self.aws.autoscaling.suspend_processes(AutoScalingGroupName=self.name, ScalingProcesses=["Launch"])
        self.aws.ec2.terminate_instances(InstanceIds=[self.members()[0]["InstanceId"]])
        self.assertEqual(1, len(self.members()))
        self.aws.autoscaling.resume_processes(AutoScalingGroupName=self.name)
        self.aws.autoscaling.set_desired_capacity(AutoScalingGroupName=self.name, DesiredCapacity=2)
        self.assertEqual(2, len(self.members()))

    def test_instance_is_as_the_group_says(self):
        _, subnets = self.network()
        template = self.template(UserData=base64.b64encode(b"#!/bin/bash").decode())
        tags = [
            {"Key": "kept", "Value": "yes", "PropagateAtLaunch": True, "ResourceId": self.name},
            {"Key": "not", "Value": "no", "PropagateAtLaunch": False, "ResourceId": self.name},
        ]
        for tag in tags:
            tag["ResourceType"] = "auto-scaling-group"
        self.group(template, subnets, Tags=tags)
        (instance,) = self.instances(self.member_ids())
        seen = {tag["Key"]: tag["Value"] for tag in instance["Tags"]}
        self.assertEqual(
            {
                "kept": "yes",
                "aws:autoscaling:groupName": self.name,
                "aws:ec2launchtemplate:id": template,
                "aws:ec2launchtemplate:version": "1",
            },
            seen,
        )
        self.assertEqual("running", instance["State"]["Name"])
        address = instance["PrivateIpAddress"]
        self.assertRegex(address, r"^10\.20\.0\.")
        self.assertEqual(f"ip-{address.replace('.', '-')}.eu-central-1.compute.internal", instance["PrivateDnsName"])
        data = self.aws.ec2.describe_instance_attribute(InstanceId=instance["InstanceId"], Attribute="userData")
        self.assertEqual(b"#!/bin/bash", base64.b64decode(data["UserData"]["Value"]))


class TemplateVersion(Case):
    @shows("autoscaling_template_version")
    def test_is_kept_until_the_instance_goes(self):
        """What kops' rolling update goes by: without it every upgrade is vacuous."""
        _, subnets = self.network()
        template = self.template()
        self.group(template, subnets, size=2)
        self.new_version(template, InstanceType="t3.large")
        self.assertEqual(["1", "1"], self.versions())

        old = sorted(self.member_ids())
        self.aws.ec2.terminate_instances(InstanceIds=[old[0]])
        self.assertEqual(["1", "2"], self.versions())
        (new,) = self.instances(self.member_ids() - set(old))
        self.assertEqual("t3.large", new["InstanceType"])

        self.aws.autoscaling.terminate_instance_in_auto_scaling_group(
            InstanceId=old[1], ShouldDecrementDesiredCapacity=False
        )
        self.assertEqual(["2", "2"], self.versions())
        self.assertFalse(self.member_ids() & set(old))

        seen = self.aws.autoscaling.describe_auto_scaling_instances(InstanceIds=sorted(self.member_ids()))
        for instance in seen["AutoScalingInstances"]:
            self.assertEqual((template, "2"), (instance["LaunchTemplate"]["LaunchTemplateId"], instance["LaunchTemplate"]["Version"]))

    def versions(self):
        return sorted(member["LaunchTemplate"]["Version"] for member in self.members())

    @shows("autoscaling_launch")
    def test_later_version_has_user_data(self):
        _, subnets = self.network()
        template = self.template(UserData=base64.b64encode(b"one").decode())
        self.group(template, subnets)
        self.new_version(template, UserData=base64.b64encode(b"two").decode())
        self.aws.ec2.terminate_instances(InstanceIds=list(self.member_ids()))
        (new,) = self.member_ids()
        data = self.aws.ec2.describe_instance_attribute(InstanceId=new, Attribute="userData")
        self.assertEqual(b"two", base64.b64decode(data["UserData"]["Value"]))

        versions = self.aws.ec2.describe_launch_template_versions(LaunchTemplateId=template, Versions=["$Latest"])
        (latest,) = versions["LaunchTemplateVersions"]
        self.assertEqual(2, latest["VersionNumber"])
        self.assertEqual(b"two", base64.b64decode(latest["LaunchTemplateData"]["UserData"]))

    def test_mixed_instances_policy(self):
        _, subnets = self.network()
        template = self.template()
        self.aws.autoscaling.create_auto_scaling_group(
            AutoScalingGroupName=self.name,
            MinSize=1,
            MaxSize=2,
            VPCZoneIdentifier=",".join(subnets),
            MixedInstancesPolicy={
                "LaunchTemplate": {
                    "LaunchTemplateSpecification": {"LaunchTemplateId": template, "Version": "$Latest"},
                    "Overrides": [{"InstanceType": "m5.large"}],
                }
            },
        )
        (group,) = self.aws.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[self.name])["AutoScalingGroups"]
        self.assertNotIn("LaunchTemplate", group)
        (member,) = group["Instances"]
        self.assertEqual(("m5.large", "1"), (member["InstanceType"], member["LaunchTemplate"]["Version"]))

    @shows("autoscaling_update")
    def test_update_changes_what_it_names(self):
        _, subnets = self.network()
        template = self.template()
        policy = {"LaunchTemplate": {"LaunchTemplateSpecification": {"LaunchTemplateId": template, "Version": "$Latest"}}}
        self.aws.autoscaling.create_auto_scaling_group(
            AutoScalingGroupName=self.name,
            MinSize=1,
            MaxSize=2,
            VPCZoneIdentifier=",".join(subnets),
            MixedInstancesPolicy=policy,
            MaxInstanceLifetime=86400,
        )
        self.aws.autoscaling.update_auto_scaling_group(AutoScalingGroupName=self.name, MaxSize=3, DefaultCooldown=7)
        (group,) = self.aws.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[self.name])["AutoScalingGroups"]
        self.assertEqual((3, 86400, 7), (group["MaxSize"], group["MaxInstanceLifetime"], group["DefaultCooldown"]))
        self.assertIn("MixedInstancesPolicy", group)


class Termination(Case):
    @shows("autoscaling_termination")
    def test_group_with_instances_stays_unless_forced(self):
        _, subnets = self.network()
        self.group(self.template(), subnets, size=2, NewInstancesProtectedFromScaleIn=True)
        members = self.member_ids()
        self.refused("ResourceInUse", self.aws.autoscaling.delete_auto_scaling_group, AutoScalingGroupName=self.name)
        self.aws.autoscaling.delete_auto_scaling_group(AutoScalingGroupName=self.name, ForceDelete=True)
        self.assertEqual({"terminated"}, {instance["State"]["Name"] for instance in self.instances(members)})

    def test_hooks_go_with_their_group(self):
        _, subnets = self.network()
        template = self.template()
        self.group(template, subnets)
        self.aws.autoscaling.put_lifecycle_hook(
            AutoScalingGroupName=self.name,
            LifecycleHookName="hook",
            LifecycleTransition="autoscaling:EC2_INSTANCE_TERMINATING",
            DefaultResult="CONTINUE",
        )
        self.aws.autoscaling.delete_auto_scaling_group(AutoScalingGroupName=self.name, ForceDelete=True)
        self.group(template, subnets)
        self.assertEqual([], self.aws.autoscaling.describe_lifecycle_hooks(AutoScalingGroupName=self.name)["LifecycleHooks"])

    def test_scales_in_the_oldest_version_of_the_fullest_zone(self):
        _, subnets = self.network(ZONES[:2])
        template = self.template()
        self.group(template, subnets, size=2, minimum=1)
        old = self.member_ids()
        self.new_version(template)
        self.aws.autoscaling.set_desired_capacity(AutoScalingGroupName=self.name, DesiredCapacity=4)
        self.aws.autoscaling.set_desired_capacity(AutoScalingGroupName=self.name, DesiredCapacity=2)
        self.assertEqual(2, len(self.members()))
        self.assertFalse(old & self.member_ids())
        self.assertEqual(set(ZONES[:2]), {member["AvailabilityZone"] for member in self.members()})

    def test_bounds(self):
        _, subnets = self.network()
        self.group(self.template(), subnets, size=1, maximum=2)
        for size in (0, 3):
            self.refused(
                "ValidationError",
                self.aws.autoscaling.set_desired_capacity,
                AutoScalingGroupName=self.name,
                DesiredCapacity=size,
            )
        self.refused(
            "ValidationError",
            self.aws.autoscaling.terminate_instance_in_auto_scaling_group,
            InstanceId=self.members()[0]["InstanceId"],
            ShouldDecrementDesiredCapacity=True,
        )

    def test_detached_instance_lives_on(self):
        """How kops' rolling update surges."""
        _, subnets = self.network()
        self.group(self.template(), subnets, size=1)
        (old,) = self.member_ids()
        self.aws.autoscaling.detach_instances(
            AutoScalingGroupName=self.name, InstanceIds=[old], ShouldDecrementDesiredCapacity=False
        )
        (new,) = self.member_ids()
        self.assertNotEqual(old, new)
        self.assertEqual({"running"}, {instance["State"]["Name"] for instance in self.instances([old, new])})
        self.aws.ec2.terminate_instances(InstanceIds=[old])
        self.assertEqual({new}, self.member_ids())


class MissingGroup(Case):
    @shows("autoscaling_missing_group")
    def test_is_an_error_of_the_caller(self):
        group = {"AutoScalingGroupName": "none"}
        autoscaling = self.aws.autoscaling
        for call, arguments in (
            (autoscaling.describe_warm_pool, group),
            (autoscaling.delete_warm_pool, group),
            (autoscaling.set_desired_capacity, {**group, "DesiredCapacity": 1}),
            (autoscaling.suspend_processes, group),
            (autoscaling.enable_metrics_collection, {**group, "Granularity": "1Minute"}),
            (autoscaling.delete_auto_scaling_group, group),
            (
                autoscaling.terminate_instance_in_auto_scaling_group,
                {"InstanceId": "i-0123456789abcdef0", "ShouldDecrementDesiredCapacity": False},
            ),
        ):
            with self.subTest(call.__name__):
                self.refused("ValidationError", call, **arguments)

    def test_warm_pool_of_a_group_without_one(self):
        _, subnets = self.network()
        self.group(self.template(), subnets)
        answer = self.aws.autoscaling.describe_warm_pool(AutoScalingGroupName=self.name)
        self.assertEqual([], answer["Instances"])
        self.assertNotIn("WarmPoolConfiguration", answer)


class TargetGroups(Case):
    @shows("autoscaling_target_groups")
    def test_follow_the_group(self):
        vpc, subnets = self.network()
        target_group = self.target_group(vpc)
        self.listener(self.balancer(subnets), target_group)
        self.group(self.template(), subnets, size=3, minimum=1, TargetGroupARNs=[target_group])
        self.assert_healthy(target_group)
        self.aws.ec2.terminate_instances(InstanceIds=[sorted(self.member_ids())[0]])
        self.assert_healthy(target_group)
        self.aws.autoscaling.set_desired_capacity(AutoScalingGroupName=self.name, DesiredCapacity=1)
        self.assert_healthy(target_group)
        (last,) = self.member_ids()
        self.aws.autoscaling.detach_instances(
            AutoScalingGroupName=self.name, InstanceIds=[last], ShouldDecrementDesiredCapacity=False
        )
        self.assert_healthy(target_group)

    def test_attached_and_detached_later(self):
        vpc, subnets = self.network()
        target_group = self.target_group(vpc)
        self.listener(self.balancer(subnets), target_group)
        self.group(self.template(), subnets, size=2)
        attachment = {"AutoScalingGroupName": self.name, "TargetGroupARNs": [target_group]}
        self.aws.autoscaling.attach_load_balancer_target_groups(**attachment)
        self.assert_healthy(target_group)
        self.aws.autoscaling.detach_load_balancer_target_groups(**attachment)
        self.assertEqual({}, self.health(target_group))
        (group,) = self.aws.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[self.name])["AutoScalingGroups"]
        self.assertEqual([], group["TargetGroupARNs"])

    def health(self, target_group):
        described = self.aws.elbv2.describe_target_health(TargetGroupArn=target_group)
        return {target["Target"]["Id"]: target["TargetHealth"]["State"] for target in described["TargetHealthDescriptions"]}

    def assert_healthy(self, target_group):
        self.assertEqual({member: "healthy" for member in self.member_ids()}, self.health(target_group))
