from support import Case, shows

NLB = "dev-example-net-ingress-0123456789abcdef.elb.eu-central-1.amazonaws.com"
NLB_ZONE = "Z3F0SRJ5LGBH90"


class Records(Case):
    def setUp(self):
        super().setUp()
        zone = self.aws.route53.create_hosted_zone(Name=f"{self.name}.net", CallerReference=self.name)
        self.zone = zone["HostedZone"]["Id"].rpartition("/")[2]
        self.apex = f"{self.name}.net."

    def change(self, *changes):
        self.aws.route53.change_resource_record_sets(
            HostedZoneId=self.zone,
            ChangeBatch={"Changes": [{"Action": action, "ResourceRecordSet": record} for action, record in changes]},
        )

    def assert_refused(self, *changes):
        batch = {"Changes": [{"Action": action, "ResourceRecordSet": record} for action, record in changes]}
        return self.refused(
            "InvalidChangeBatch", self.aws.route53.change_resource_record_sets, HostedZoneId=self.zone, ChangeBatch=batch
        )

    def records(self):
        listed = self.aws.route53.list_resource_record_sets(HostedZoneId=self.zone)["ResourceRecordSets"]
        return {(record["Name"], record["Type"]): record for record in listed if record["Type"] not in ("NS", "SOA")}

    def text(self, name, value="one"):
        return {"Name": f"{name}.{self.apex}", "Type": "TXT", "TTL": 60, "ResourceRecords": [{"Value": f'"{value}"'}]}

    def alias(self, name="*.k.dev", target=NLB, zone=NLB_ZONE):
        target = {"HostedZoneId": zone, "DNSName": target, "EvaluateTargetHealth": False}
        return {"Name": f"{name}.{self.apex}", "Type": "A", "AliasTarget": target}

    @shows("route53_changes")
    def test_create_of_what_exists(self):
        self.change(("UPSERT", self.text("a")))
        message = self.assert_refused(("CREATE", self.text("b")), ("CREATE", self.text("a", "two")))
        self.assertIn(f"name='a.{self.apex}', type='TXT'] but it already exists", message)
        self.assertEqual({f"a.{self.apex}"}, {name for name, _ in self.records()}, "a batch is made whole or not at all")

    def test_delete_of_what_differs(self):
        self.change(("CREATE", self.text("a")), ("CREATE", self.alias()))
        self.assertIn("do not match the current values", self.assert_refused(("DELETE", self.text("a", "two"))))
        self.assertIn("was not found", self.assert_refused(("DELETE", self.text("b"))))
        self.assert_refused(("DELETE", self.alias(target="other" + NLB)))
        self.assertEqual(2, len(self.records()))
        self.change(("DELETE", self.text("a")), ("DELETE", self.alias("*.K.dev", NLB.upper() + ".")))
        self.assertEqual({}, self.records())

    def test_replace_in_one_batch(self):
        self.change(("CREATE", self.text("a")))
        self.change(("DELETE", self.text("a")), ("CREATE", self.text("a", "two")))
        (record,) = self.records().values()
        self.assertEqual([{"Value": '"two"'}], record["ResourceRecords"])

    def test_other_refusals(self):
        cname = {"Name": f"a.{self.apex}", "Type": "CNAME", "TTL": 60, "ResourceRecords": [{"Value": "example.com"}]}
        self.change(("CREATE", self.text("a")))
        for change in (
            ("CREATE", cname),
            ("CREATE", {**cname, "Name": self.apex}),
            ("CREATE", {**self.text("a"), "Name": f"bad{self.apex}"}),
            ("CREATE", self.alias(zone="Z26RNL4JYFTOTI")),  # the one of us-east-1
        ):
            with self.subTest(change):
                self.assert_refused(change)

    @shows("route53_names")
    def test_wildcard(self):
        self.change(("CREATE", self.alias("*.K.dev")), ("CREATE", self.text("zzz")))
        record = self.records()[(f"\\052.k.dev.{self.apex}", "A")]
        self.assertEqual(NLB + ".", record["AliasTarget"]["DNSName"])
        self.assertIn("already exists", self.assert_refused(("CREATE", self.alias(r"\052.k.dev"))))
        first = self.aws.route53.list_resource_record_sets(
            HostedZoneId=self.zone, StartRecordName=f"*.k.dev.{self.apex}", StartRecordType="A", MaxItems="1"
        )
        self.assertEqual(f"\\052.k.dev.{self.apex}", first["ResourceRecordSets"][0]["Name"])

    def test_pages(self):
        self.change(("CREATE", self.alias()), *(("CREATE", self.text(f"r{number}")) for number in range(5)))
        pages = self.aws.route53.get_paginator("list_resource_record_sets").paginate(
            HostedZoneId=self.zone, PaginationConfig={"PageSize": 2}
        )
        listed = [record["Name"] for page in pages for record in page["ResourceRecordSets"]]
        self.assertEqual(8, len(listed))
        self.assertEqual(len({(name, index < 2) for index, name in enumerate(listed)}), 7)  # the apex has two

    def test_zone_with_records_stays(self):
        self.change(("CREATE", self.text("a")))
        self.refused("HostedZoneNotEmpty", self.aws.route53.delete_hosted_zone, Id=self.zone)
        self.change(("DELETE", self.text("a")))
        self.aws.route53.delete_hosted_zone(Id=self.zone)


class Zones(Case):
    @shows("route53_zones")
    def test_by_name(self):
        for name in ("a", "b", "c"):
            self.aws.route53.create_hosted_zone(Name=f"{name}.{self.name}.org", CallerReference=self.name + name)
        listed = self.aws.route53.list_hosted_zones_by_name(DNSName=f"b.{self.name}.org", MaxItems="2")
        self.assertEqual([f"{name}.{self.name}.org." for name in "bc"], [zone["Name"] for zone in listed["HostedZones"]])
        listed = self.aws.route53.list_hosted_zones_by_name(DNSName=f"b.{self.name}.org", MaxItems="1")
        self.assertEqual((True, f"c.{self.name}.org."), (listed["IsTruncated"], listed["NextDNSName"]))

    def test_begin_with_two_records(self):
        zone = self.aws.route53.create_hosted_zone(Name=f"{self.name}.net", CallerReference=self.name)["HostedZone"]["Id"]
        records = self.aws.route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
        self.assertEqual(["NS", "SOA"], [record["Type"] for record in records])
        self.assertRegex(records[1]["ResourceRecords"][0]["Value"], r"^ns-\d+\.awsdns")
