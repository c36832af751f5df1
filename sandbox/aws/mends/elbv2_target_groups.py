"""Health checks and attributes of target groups and load balancers."""

from moto.elbv2.exceptions import DuplicateTargetGroupName, ELBClientError, ValidationError
from moto.elbv2.models import ELBv2Backend, FakeLoadBalancer, FakeTargetGroup

from . import Mend

mend = Mend(
    __name__,
    service="ELBv2",
    moto="gives every target group and balancer an application load balancer's attributes, and takes any other; expects "
    "status 200 of a network load balancer's HTTP health check and ignores a new matcher; allows 10 tags",
    aws="has attributes by protocol and type (proxy_protocol_v2.enabled, preserve_client_ip.enabled, …), refuses unknown "
    "ones, expects 200-399, takes a new matcher; allows 50 tags",
    source="ELB API Reference (2015-12-01): TargetGroupAttribute, LoadBalancerAttribute, CreateTargetGroup, "
    "ModifyTargetGroup, Matcher; User Guide for Network Load Balancers: Quotas",
)

NETWORK_PROTOCOLS = ("TCP", "UDP", "TCP_UDP", "TLS")

HEALTH_ATTRIBUTES = {
    "target_group_health.dns_failover.minimum_healthy_targets.count": "1",
    "target_group_health.dns_failover.minimum_healthy_targets.percentage": "off",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": "1",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": "off",
}

NETWORK_ATTRIBUTES = {
    "deregistration_delay.timeout_seconds": "300",
    "deregistration_delay.connection_termination.enabled": "false",
    "load_balancing.cross_zone.enabled": "use_load_balancer_configuration",
    "preserve_client_ip.enabled": "true",
    "proxy_protocol_v2.enabled": "false",
    "stickiness.enabled": "false",
    "stickiness.type": "source_ip",
    "target_health_state.unhealthy.connection_termination.enabled": "true",
    "target_health_state.unhealthy.draining_interval_seconds": "0",
    **HEALTH_ATTRIBUTES,
}

NETWORK_BALANCER_ATTRIBUTES = {
    "access_logs.s3.bucket": "",
    "access_logs.s3.enabled": "false",
    "access_logs.s3.prefix": "",
    "deletion_protection.enabled": "false",
    "dns_record.client_routing_policy": "any_availability_zone",
    "ipv6.deny_all_igw_traffic": "false",
    "load_balancing.cross_zone.enabled": "false",
    "secondary_ips.auto_assigned.per_subnet": "0",
    "zonal_shift.config.enabled": "false",
}


def _is_network(target_group):
    return target_group.protocol in NETWORK_PROTOCOLS


@mend.around(FakeTargetGroup, "__init__")
def init(original, target_group, *args, **kwargs):
    original(target_group, *args, **kwargs)
    if not _is_network(target_group):
        return
    target_group.attributes = dict(NETWORK_ATTRIBUTES)
    if target_group.target_type == "ip" and target_group.protocol in ("TCP", "TLS"):
        target_group.attributes["preserve_client_ip.enabled"] = "false"
    if target_group.health_check_protocol in ("HTTP", "HTTPS"):
        target_group.health_check_path = target_group.health_check_path or "/"
        target_group.matcher = kwargs.get("matcher") or {"HttpCode": "200-399"}


@mend.around(FakeLoadBalancer, "__init__")
def init_balancer(original, balancer, *args, **kwargs):
    original(balancer, *args, **kwargs)
    if balancer.type == "network":
        balancer.attrs = dict(NETWORK_BALANCER_ATTRIBUTES)


@mend.around(ELBv2Backend, "create_target_group")
def create_target_group(original, elbv2, name, **kwargs):
    for there in elbv2.target_groups.values():
        if there.name == name:
            asked = tuple(kwargs.get(key) for key in ("protocol", "port", "vpc_id"))
            if (there.protocol, there.port, there.vpc_id) == asked:
                return there  # the request is idempotent
            raise DuplicateTargetGroupName()
    return original(elbv2, name, **kwargs)


@mend.around(ELBv2Backend, "modify_target_group")
def modify_target_group(
    original, elbv2, arn, health_check_proto=None, health_check_port=None, health_check_path=None, *args, **kwargs
):
    target_group = original(elbv2, arn, health_check_proto, health_check_port, health_check_path, *args, **kwargs)
    if not _is_network(target_group):
        return target_group
    if target_group.health_check_protocol not in ("HTTP", "HTTPS"):
        target_group.health_check_path = None
        target_group.matcher = None
        return target_group
    target_group.health_check_path = target_group.health_check_path or "/"
    codes = kwargs.get("http_codes") or (args[4] if len(args) > 4 else None)
    if codes:
        target_group.matcher = {"HttpCode": codes}
    elif not getattr(target_group, "matcher", None):
        target_group.matcher = {"HttpCode": "200-399"}
    return target_group


@mend.around(ELBv2Backend, "modify_target_group_attributes")
def modify_target_group_attributes(original, elbv2, target_group_arn, attributes):
    target_group = elbv2.target_groups.get(target_group_arn)
    if target_group is not None and _is_network(target_group):
        for key in attributes:
            if key not in NETWORK_ATTRIBUTES:
                raise ValidationError(f"Target group attribute key '{key}' is not recognized")
    original(elbv2, target_group_arn, attributes)


@mend.around(ELBv2Backend, "modify_load_balancer_attributes")
def modify_load_balancer_attributes(original, elbv2, arn, attrs):
    balancer = elbv2.load_balancers.get(arn)
    if balancer is not None and balancer.type == "network":
        for key in attrs:
            if key not in NETWORK_BALANCER_ATTRIBUTES:
                raise ValidationError(f"Load balancer attribute key '{key}' is not recognized")
    return original(elbv2, arn, attrs)


@mend.around(ELBv2Backend, "delete_target_group")
def delete_target_group(original, elbv2, target_group_arn):
    deleted = original(elbv2, target_group_arn)
    elbv2.tagging_service.delete_all_tags_for_resource(target_group_arn)
    return deleted


MAXIMUM_TAGS = 50


@mend.instead(ELBv2Backend, "add_tags")
def add_tags(elbv2, resource_arns, tags):
    for arn in resource_arns:
        elbv2._get_resource_by_arn(arn)
        names = {*elbv2.tagging_service.get_tag_dict_for_resource(arn), *(tag["Key"] for tag in tags)}
        if len(names) > MAXIMUM_TAGS:
            raise ELBClientError("TooManyTags", "You've reached the limit on the number of tags for this resource")
        elbv2.tagging_service.tag_resource(arn, tags)
