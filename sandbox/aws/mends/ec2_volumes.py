"""What becomes of an instance's volumes and network interfaces when it ends."""

from moto.ec2.models.instances import Instance

from . import Mend

mend = Mend(
    __name__,
    service="EC2",
    moto="keeps an instance's primary network interface, unless told otherwise at launch, and a volume that a second "
    "one has taken the device name of",
    aws="deletes the primary network interface and the root volume of a terminated instance by default",
    source="EC2 User Guide: Terminate instances; Elastic network interfaces (Termination behavior); "
    "Preserve data when an instance is terminated",
)


@mend.around(Instance, "prep_nics")
def prep_nics(original, instance, nic_spec, *args, **kwargs):
    original(instance, nic_spec, *args, **kwargs)
    # An interface that existed before keeps what was said of it: by default it stays.
    given = {int(nic["DeviceIndex"]): nic for nic in nic_spec if "DeviceIndex" in nic}
    for index, interface in instance.nics.items():
        spec = given.get(index, {})
        if "NetworkInterfaceId" not in spec and spec.get("DeleteOnTermination") is None:
            interface.delete_on_termination = True


@mend.around(Instance, "terminate")
def terminate(original, instance):
    result = original(instance)
    for volume in list(instance.ec2_backend.volumes.values()):
        if volume.attachment and volume.attachment.instance is instance:
            volume.attachment = None
            instance.ec2_backend.delete_volume(volume.id)
    return result
