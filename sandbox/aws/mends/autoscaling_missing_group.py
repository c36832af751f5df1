"""Operations on an Auto Scaling group that does not exist."""

from moto.autoscaling.exceptions import ValidationError
from moto.autoscaling.models import AutoScalingBackend

from . import Mend

mend = Mend(
    __name__,
    service="Auto Scaling",
    moto="answers 500 when a group does not exist, which SDKs retry: kops' DescribeWarmPool takes three minutes",
    aws="refuses with ValidationError",
    source="Auto Scaling API Reference, Common Errors; kops reads the code in awstasks/warmpool.go",
)


class Groups(dict):
    def __missing__(self, name):
        raise ValidationError(f"AutoScalingGroup name not found - AutoScalingGroup '{name}' not found")


@mend.around(AutoScalingBackend, "__init__")
def init(original, backend, *args, **kwargs):
    original(backend, *args, **kwargs)
    backend.autoscaling_groups = Groups(backend.autoscaling_groups)


# These look a group up in a list, where a missing one is an IndexError.
for operation in ("describe_warm_pool", "put_warm_pool", "delete_warm_pool", "enable_metrics_collection"):

    @mend.around(AutoScalingBackend, operation)
    def on_group(original, backend, group_name, *args, **kwargs):
        backend.autoscaling_groups[group_name]
        return original(backend, group_name, *args, **kwargs)


@mend.around(AutoScalingBackend, "set_instance_health")
def set_instance_health(original, backend, instance_id, *args, **kwargs):
    if not backend.describe_auto_scaling_instances([instance_id]):
        raise ValidationError(f"Instance Id not found - No managed instance found for instance ID: {instance_id}")
    return original(backend, instance_id, *args, **kwargs)
