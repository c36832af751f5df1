"""Which changes Route 53 refuses."""

from moto.route53.exceptions import Route53ClientError
from moto.route53.models import RecordSet, Route53Backend

from . import Mend
from .elbv2_load_balancers import NETWORK_HOSTED_ZONES
from .route53_names import normal

mend = Mend(
    __name__,
    service="Route 53",
    moto="creates a record that exists when it was not made through the same list of changes, deletes a record "
    "by its name whatever values the request has, deletes the zone's own SOA and NS, and keeps half of a refused batch; takes an alias to any name in any zone",
    aws="refuses the batch as a whole (InvalidChangeBatch), and names each record that stands in its way",
    source="Route 53 API Reference: ChangeResourceRecordSets, Change, InvalidChangeBatch",
)


@mend.instead(Route53Backend, "change_resource_record_sets")
def change_resource_record_sets(route53, zone_id, changes):
    zone = route53.get_hosted_zone(zone_id)
    records = {_key(record): record for record in zone.rrsets}
    reasons = [reason for change in changes if (reason := _apply(zone, records, change))]
    if reasons:
        raise Route53ClientError("InvalidChangeBatch", f"[{', '.join(reasons)}]")
    zone.rrsets = list(records.values())


def _apply(zone, records, change):
    """Makes one change to the records; returns why Route 53 would refuse it, or None."""
    action, wanted = change["Action"], dict(change["ResourceRecordSet"])
    name, kind = normal(wanted["Name"]), wanted["Type"]
    if action not in ("CREATE", "DELETE", "UPSERT"):
        raise Route53ClientError("InvalidInput", f"Invalid XML ; cvc-enumeration-valid: Value '{action}' is not facet-valid")
    apex = normal(zone.name)
    if name != apex and not name.endswith("." + apex):
        return f"RRSet with DNS name {name} is not permitted in zone {apex}"
    if not wanted.get("AliasTarget") and not (wanted.get("TTL") is not None and wanted.get("ResourceRecords")):
        raise Route53ClientError(
            "InvalidInput",
            "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or "
            f"TrafficPolicyInstanceId], but found none in Change with [Action={action}, Name={name}, Type={kind}, "
            f"SetIdentifier={wanted.get('SetIdentifier', 'null')}]",
        )

    wanted["ResourceRecords"] = [record["Value"] for record in wanted.get("ResourceRecords") or []]
    record = RecordSet(wanted)
    key = _key(record)
    there = records.get(key)
    if action == "DELETE":
        if name == apex and kind in ("NS", "SOA"):
            return "A HostedZone must contain at least one NS record for the zone itself and exactly one SOA record"
        if there is None:
            return f"Tried to delete resource record set [name='{name}', type='{kind}'] but it was not found"
        if _values(there) != _values(record):
            return (
                f"Tried to delete resource record set [name='{name}', type='{kind}'] but the values provided "
                "do not match the current values"
            )
        del records[key]
        return None
    if action == "CREATE" and there is not None:
        return f"Tried to create resource record set [name='{name}', type='{kind}'] but it already exists"
    if record.alias_target and not _within_its_zone(record.alias_target):
        return (
            f"Tried to create an alias that targets {record.alias_target['DNSName']}, type {kind} in zone "
            f"{record.alias_target['HostedZoneId']}, but the alias target name does not lie within the target zone"
        )
    if kind == "CNAME" and name == apex:
        return f"RRSet of type CNAME with DNS name {name} is not permitted at apex in zone {apex}"
    others = {other for other_name, other, _ in records if other_name == name and other != kind}
    if others and "CNAME" in (kind, *others):
        return (
            f"RRSet of type {kind} with DNS name {name} is not permitted because a conflicting RRSet of type "
            f"{sorted(others)[0]} with the same DNS name already exists in zone {apex}"
        )
    records[key] = record
    return None


def _within_its_zone(alias):
    """Whether an alias names a network load balancer by the zone of its region; other targets are not checked."""
    for region, zone_id in NETWORK_HOSTED_ZONES.items():
        if alias["HostedZoneId"] == zone_id:
            return normal(alias["DNSName"]).endswith(f".elb.{region}.amazonaws.com.")
    return True


def _key(record):
    return normal(record.name), record.type, record.set_identifier


def _values(record):
    alias = record.alias_target
    return (
        str(record.ttl) if record.ttl is not None else None,
        sorted(_text(value) for value in record.records or []),
        (alias["HostedZoneId"], normal(alias["DNSName"]), bool(alias.get("EvaluateTargetHealth"))) if alias else None,
        str(record.weight) if record.weight is not None else None,
        record.region,
        record.failover,
        record.health_check_id,
    )


def _text(value):
    return value["Value"] if isinstance(value, dict) else value
