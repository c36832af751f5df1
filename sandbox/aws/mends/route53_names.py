"""How Route 53 writes domain names."""

from moto.route53.models import FakeZone, RecordSet, Route53Backend

from . import Mend

mend = Mend(
    __name__,
    service="Route 53",
    moto="returns names as they were given; cannot find the next page after a name with an asterisk",
    aws="returns names in lower case, with a trailing dot, and what is no letter, digit, hyphen, underscore or dot "
    "as an octal escape: the asterisk of a wildcard record is \\052",
    source="Route 53 Developer Guide: DNS domain name format; API Reference: ResourceRecordSet.Name, ListResourceRecordSets",
)

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_.")


def normal(name):
    """The name as Route 53 returns it."""
    name = unescape(name).lower().rstrip(".") + "."
    return "".join(char if char in _PLAIN else f"\\{ord(char):03o}" for char in name)


def unescape(name):
    """Resolves octal escapes, as in \\052."""
    parts = name.split("\\")
    resolved = parts[0]
    for part in parts[1:]:
        digits = part[:3]
        if len(digits) == 3 and all(digit in "01234567" for digit in digits):
            resolved += chr(int(digits, 8)) + part[3:]
        else:
            resolved += "\\" + part
    return resolved


@mend.around(RecordSet, "__init__")
def init(original, record_set, values):
    values = {**values, "Name": normal(values.get("Name", ""))}
    alias = values.get("AliasTarget")
    if alias:
        values["AliasTarget"] = {**alias, "DNSName": normal(alias["DNSName"])}
    original(record_set, values)


@mend.around(FakeZone, "__init__")
def init_zone(original, zone, name, *args, **kwargs):
    original(zone, normal(name), *args, **kwargs)


@mend.around(FakeZone, "delete_rrset")
def delete_rrset(original, zone, record_set):
    original(zone, {**record_set, "Name": normal(record_set["Name"])})


@mend.around(Route53Backend, "list_resource_record_sets")
def list_resource_record_sets(original, route53, zone_id, start_type, start_name, max_items):
    return original(
        route53,
        zone_id,
        start_type=start_type,
        start_name=normal(start_name) if start_name else start_name,
        max_items=max_items,
    )
