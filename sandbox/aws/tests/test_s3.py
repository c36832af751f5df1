import time
import urllib.error
import urllib.request

from support import REGION, Case, shows

DISCOVERY = "dev.example.net/.well-known/openid-configuration"


class Buckets(Case):
    def setUp(self):
        super().setUp()
        self.aws.s3.create_bucket(Bucket=self.name, CreateBucketConfiguration={"LocationConstraint": REGION})

    def get(self, path):
        """What somebody without credentials reads."""
        with urllib.request.urlopen(f"{self.aws.url}/{self.name}/{path}") as answer:
            return answer.read()

    @shows("s3_unsigned_paths")
    def test_public_object(self):
        self.aws.s3.put_object(Bucket=self.name, Key=DISCOVERY, Body=b"{}", ACL="public-read")
        self.assertEqual(b"{}", self.get(DISCOVERY))

    def test_private_object(self):
        self.aws.s3.put_object(Bucket=self.name, Key="secret", Body=b"1")
        with self.assertRaises(urllib.error.HTTPError) as caught:
            self.get("secret")
        self.assertEqual(403, caught.exception.code)

    def test_acl(self):
        self.aws.s3.put_object(Bucket=self.name, Key="open", Body=b"1", ACL="public-read")
        self.aws.s3.put_object(Bucket=self.name, Key="closed", Body=b"1")
        everybody = "http://acs.amazonaws.com/groups/global/AllUsers"
        for key, public in (("open", True), ("closed", False)):
            grants = self.aws.s3.get_object_acl(Bucket=self.name, Key=key)["Grants"]
            self.assertEqual(public, everybody in [grant["Grantee"].get("URI") for grant in grants], key)

    def test_what_kops_asks_of_a_bucket(self):
        self.refused(
            "ServerSideEncryptionConfigurationNotFoundError", self.aws.s3.get_bucket_encryption, Bucket=self.name
        )
        self.assertEqual(REGION, self.aws.s3.get_bucket_location(Bucket=self.name)["LocationConstraint"])
        self.refused("NoSuchBucketPolicy", self.aws.s3.get_bucket_policy_status, Bucket=self.name)
        self.refused("NoSuchKey", self.aws.s3.get_object, Bucket=self.name, Key="none")

    def test_large_object(self):
        """Sent with Expect: 100-continue and read back on a kept connection."""
        body = bytes(range(256)) * 4096 * 8
        self.aws.s3.put_object(Bucket=self.name, Key="large", Body=body)
        head = self.aws.s3.head_object(Bucket=self.name, Key="large")
        self.assertEqual(len(body), head["ContentLength"])
        self.assertEqual(body, self.aws.s3.get_object(Bucket=self.name, Key="large")["Body"].read())
        self.aws.s3.delete_object(Bucket=self.name, Key="large")


class Queues(Case):
    @shows("sqs_short_polls")
    def test_waiting_holds_up_nobody(self):
        queue = self.aws.sqs.create_queue(QueueName=self.name)["QueueUrl"]
        begin = time.monotonic()
        self.aws.sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=3)
        self.assertLess(time.monotonic() - begin, 1)
        self.aws.sqs.send_message(QueueUrl=queue, MessageBody="hello")
        (message,) = self.aws.sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=3)["Messages"]
        self.assertEqual("hello", message["Body"])
