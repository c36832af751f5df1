"""User data of a launch template's later versions."""

from moto.ec2.models.launch_templates import LaunchTemplate
from moto.ec2.utils import parse_user_data

from . import Mend

mend = Mend(
    __name__,
    service="EC2",
    moto="decodes the user data of a template's first version only: launching from a later one answers 500",
    aws="treats all versions alike",
    source="EC2 API Reference: CreateLaunchTemplateVersion, RequestLaunchTemplateData.UserData",
)


@mend.around(LaunchTemplate, "create_version")
def create_version(original, template, data, description):
    if isinstance(data.get("UserData"), (str, bytes)):
        data["UserData"] = parse_user_data(data["UserData"])
    return original(template, data, description)
