"""The records that a zone begins with, and finding zones by name."""

from moto.route53.models import Route53Backend
from moto.route53.responses import Route53

from . import Mend
from .route53_names import normal

mend = Mend(
    __name__,
    service="Route 53",
    moto="nests the SOA record's value, so that clients read no text; lists only the named zone by name, and says "
    "nothing of further pages",
    aws="answers with the SOA's text; lists zones in order from the name on, with IsTruncated and MaxItems",
    source="Route 53 API Reference: CreateHostedZone, ListHostedZonesByName; Developer Guide: NS and SOA records",
)


@mend.around(Route53Backend, "create_hosted_zone")
def create_hosted_zone(original, route53, *args, **kwargs):
    zone = original(route53, *args, **kwargs)
    for record in zone.rrsets:
        record.records = [value["Value"] if isinstance(value, dict) else value for value in record.records]
    return zone


@mend.around(Route53, "list_hosted_zones_by_name")
def list_hosted_zones_by_name(original, response):
    asked = response._get_param("DNSName")
    response.params["DNSName"] = None
    answer = original(response)
    zones = answer.result["HostedZones"]
    if asked:
        zones = [zone for zone in zones if _order(zone.name) >= _order(normal(asked))]
    size = response._get_int_param("MaxItems", 100)
    result = {"HostedZones": zones[:size], "IsTruncated": len(zones) > size, "MaxItems": size, "DNSName": asked}
    if result["IsTruncated"]:
        result["NextDNSName"] = zones[size].name
        result["NextHostedZoneId"] = zones[size].resource_id
    answer.result.clear()
    answer.result.update(result)
    return answer


def _order(name):
    """Zones are sorted by their labels from the last to the first."""
    return name.rstrip(".").split(".")[::-1]
