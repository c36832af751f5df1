"""How many launch templates a request lists."""

from moto.ec2.responses.launch_templates import LaunchTemplates

from . import Mend

mend = Mend(
    __name__,
    service="EC2",
    moto="lists 15 launch templates, or 15 versions, and gives no token for the rest: "
    "three clusters have more groups than that",
    aws="lists up to 200 and gives a token",
    source="EC2 API Reference: DescribeLaunchTemplates, DescribeLaunchTemplateVersions (MaxResults)",
)

PAGE = 200


def paged(original, response, key):
    """Lists everything, then cuts the asked-for page out of it."""
    size = response._get_int_param("MaxResults", PAGE)
    start = int(response._get_param("NextToken") or 0)
    response.params["MaxResults"] = 10**6
    answer = original(response)
    result = answer.result
    found = result[key]
    result[key] = found[start : start + size]
    if len(found) > start + size:
        result["NextToken"] = str(start + size)
    return answer


@mend.around(LaunchTemplates, "describe_launch_templates")
def describe_launch_templates(original, response):
    return paged(original, response, "LaunchTemplates")


@mend.around(LaunchTemplates, "describe_launch_template_versions")
def describe_launch_template_versions(original, response):
    return paged(original, response, "LaunchTemplateVersions")
