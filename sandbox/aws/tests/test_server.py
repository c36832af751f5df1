import re
import socket
import subprocess
import sys
import unittest
import urllib.error
import urllib.request
from http.client import HTTPConnection
from pathlib import Path

import boto3
from support import SERVER, Case, Server


class Process(unittest.TestCase):
    def test_says_what_it_is(self):
        server = Server()
        self.addCleanup(server.stop)
        health = server.health()
        self.assertEqual(("ok", [], None), (health["status"], health["without"], health["snapshot"]))
        self.assertEqual(0, server.stop())

    def test_taken_port(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            done = subprocess.run([sys.executable, SERVER, "--port", str(port)], capture_output=True, text=True)
        self.assertEqual(1, done.returncode)
        self.assertIn(f"listening on 127.0.0.1:{port}: ", done.stderr)
        self.assertNotIn("Traceback", done.stderr)

    def test_unknown_mend_left_out(self):
        with self.assertRaisesRegex(AssertionError, "no such mend: nonsense"):
            Server(without="nonsense")


class Protocol(Case):
    def test_connection_stays_open(self):
        connection = HTTPConnection(self.aws.url.removeprefix("http://"))
        self.addCleanup(connection.close)
        sockets = set()
        for path in ("/sandbox/health", "/none-such-bucket/key", "/sandbox/health"):
            connection.request("GET", path)
            connection.getresponse().read()
            sockets.add(connection.sock.getsockname() if connection.sock else None)
        self.assertEqual(1, len(sockets), sockets)
        self.assertNotIn(None, sockets)

    def test_chunked_body(self):
        connection = HTTPConnection(self.aws.url.removeprefix("http://"))
        self.addCleanup(connection.close)
        body = b"Action=DescribeVpcs&Version=2016-11-15"
        connection.request(
            "POST",
            "/",
            body=iter([body[:10], body[10:]]),
            encode_chunked=True,
            headers={
                "Transfer-Encoding": "chunked",
                "Content-Type": "application/x-www-form-urlencoded",
                "Authorization": "AWS4-HMAC-SHA256 Credential=sandbox/20260101/eu-central-1/ec2/aws4_request, Signature=0",
            },
        )
        answer = connection.getresponse()
        self.assertEqual(200, answer.status)
        self.assertIn(b"<vpcSet>", answer.read())

    def test_what_moto_cannot_do_fails_at_once(self):
        """SDKs retry a 500 for minutes; this one is no use asking again."""
        client = boto3.client(
            "ec2", endpoint_url=self.aws.url, region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="a"
        )
        attempts = []
        client.meta.events.register("before-send.ec2", lambda **_: attempts.append(1))
        self.refused("NotImplemented", client.describe_network_insights_paths)
        self.assertEqual(1, len(attempts))

    def test_no_web_page_reads_it(self):
        request = urllib.request.Request(self.aws.url + "/bucket/key", headers={"Origin": "http://example.com"})
        with self.assertRaises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request)
        self.assertNotIn("Access-Control-Allow-Origin", caught.exception.headers)


class Documentation(unittest.TestCase):
    def test_docs_list_all_mends(self):
        table = subprocess.run([sys.executable, SERVER, "--list-mends"], capture_output=True, text=True, check=True).stdout
        docs = (Path(SERVER).parents[2] / "docs" / "sandbox.md").read_text()
        listed = re.search(r"<!-- mends -->\n(.*?)<!-- end -->", docs, re.DOTALL)
        self.assertEqual(table.strip(), listed.group(1).strip(), "python server.py --list-mends prints what belongs there")
