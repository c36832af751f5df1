"""Listeners, and which target groups they use."""

from moto.elbv2.exceptions import DuplicateListenerError, InvalidConfigurationRequest, ListenerNotFoundError
from moto.elbv2.models import ELBv2Backend, FakeTargetGroup, elbv2_backends

from . import Mend

mend = Mend(
    __name__,
    service="ELBv2",
    moto="takes two listeners on one port; says of a target group that it belongs to balancers that are gone, and "
    "knows nothing of those that a listener was changed to",
    aws="refuses the second (DuplicateListener); a target group belongs to the balancers whose listeners forward to it, "
    "and to one network load balancer at most",
    source="ELB API Reference (2015-12-01): CreateListener, ModifyListener, DeleteListener, TargetGroup.LoadBalancerArns; "
    "User Guide for Network Load Balancers: Target groups",
)


def users_of(elbv2, target_group_arn):
    """The ARNs of the balancers that forward to a target group."""
    return [
        balancer.arn
        for balancer in elbv2.load_balancers.values()
        if any(
            target_group_arn in elbv2._get_target_group_arns_from(action_data=action.data)
            for listener in balancer.listeners.values()
            for rule in listener.rules.values()
            for action in rule.actions
        )
    ]


class _Ignored(list):
    """What moto appends to is not what it reads."""

    def append(self, _):
        pass


def _load_balancer_arns(target_group):
    elbv2 = elbv2_backends[target_group.account_id][target_group.region_name]
    return _Ignored(users_of(elbv2, target_group.arn))


# Looked up, not written down: what moto writes down nobody ever corrects.
mend.new(FakeTargetGroup, "load_balancer_arns")(property(_load_balancer_arns, lambda target_group, value: None))


@mend.around(ELBv2Backend, "create_listener")
def create_listener(original, elbv2, load_balancer_arn, protocol, port, *args, **kwargs):
    balancer = elbv2.load_balancers.get(load_balancer_arn)
    if balancer is not None:
        _check(elbv2, balancer, port, protocol, kwargs.get("actions") or [])
    return original(elbv2, load_balancer_arn, protocol, port, *args, **kwargs)


@mend.around(ELBv2Backend, "modify_listener")
def modify_listener(original, elbv2, arn, port=None, protocol=None, ssl_policy=None, certificates=None, actions=None):
    listener = elbv2.describe_listeners(None, [arn])[0]
    balancer = elbv2.load_balancers[listener.load_balancer_arn]
    _check(elbv2, balancer, port or listener.port, protocol or listener.protocol, actions or [], but=arn)
    given = protocol
    if protocol not in (None, "HTTP", "HTTPS", "TCP"):
        given = None  # moto refuses the others, which a network load balancer has
    changed = original(elbv2, arn, port, given, ssl_policy, certificates, actions)
    if protocol is not None:
        changed.protocol = protocol
    return changed


def _check(elbv2, balancer, port, protocol, actions, but=None):
    for listener in balancer.listeners.values():
        if listener.arn != but and str(listener.port) == str(port):
            raise DuplicateListenerError()
    if balancer.type != "network":
        return
    for action in actions:
        for arn in elbv2._get_target_group_arns_from(action_data=action):
            others = [user for user in users_of(elbv2, arn) if user != balancer.arn]
            if others:
                raise InvalidConfigurationRequest(
                    f"The following target groups cannot be associated with more than one load balancer: '{arn}'"
                )


@mend.around(ELBv2Backend, "delete_listener")
def delete_listener(original, elbv2, listener_arn):
    listener = original(elbv2, listener_arn)
    elbv2.tagging_service.delete_all_tags_for_resource(listener_arn)
    return listener


@mend.instead(ELBv2Backend, "describe_listeners")
def describe_listeners(elbv2, load_balancer_arn, listener_arns):
    if load_balancer_arn:
        return list(elbv2.describe_load_balancers([load_balancer_arn], None)[0].listeners.values())
    listeners = {arn: listener for balancer in elbv2.load_balancers.values() for arn, listener in balancer.listeners.items()}
    if any(arn not in listeners for arn in listener_arns):
        raise ListenerNotFoundError()
    return [listeners[arn] for arn in listener_arns]
