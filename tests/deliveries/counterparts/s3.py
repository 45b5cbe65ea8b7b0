"""S3: moto's server, which checks signatures and rights here, and Amazon's own client."""

import json
import sys
import urllib.request
from pathlib import Path

import boto3
from botocore.config import Config

from counterparts import objects
from counterparts.place import Place
from harness.door import Door, passing_on
from harness.process import Program, free_port

REGION = "eu-central-1"
BUCKET = "audit-log-archive"
#: What the credentials may do: put objects into the bucket, and read them.
POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["s3:*"], "Resource": [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"]}],
}


class S3:
    """One server with one bucket; each stream has a prefix of its own."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.program = Program([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", self.port], folder / "s3-log")
        self.program.ready("moto", self.port)
        anybody = {"endpoint_url": self.url, "region_name": REGION, "aws_access_key_id": "anybody", "aws_secret_access_key": "anybody"}
        boto3.client("s3", **anybody).create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        people = boto3.client("iam", **anybody)
        people.create_user(UserName="trailbook")
        people.put_user_policy(UserName="trailbook", PolicyName="archive", PolicyDocument=json.dumps(POLICY))
        key = people.create_access_key(UserName="trailbook")["AccessKey"]
        self.credentials = {"access_key_id": key["AccessKeyId"], "secret_access_key": key["SecretAccessKey"]}
        # From now on signatures are computed again, and rights looked up.
        switch = urllib.request.Request(f"{self.url}/moto-api/reset-auth", b"0", {"Content-Type": "text/plain"}, method="POST")
        urllib.request.urlopen(switch).close()
        self.client = self.client_with(self.credentials)
        self.door = Door(passing_on(self.port))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client_with(self, credentials: dict, endpoint: str | None = None):
        """Amazon's client, with these credentials."""
        return boto3.client(
            "s3",
            endpoint_url=endpoint or self.url,
            region_name=REGION,
            aws_access_key_id=credentials["access_key_id"],
            aws_secret_access_key=credentials["secret_access_key"],
            config=Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"}),
        )

    def listed(self, prefix: str) -> list[dict]:
        """The objects below a prefix, as the listing tells them."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
        return [found for page in pages for found in page.get("Contents", [])]

    def objects(self, prefix: str) -> dict[str, bytes]:
        """The objects below a prefix."""
        return {found["Key"]: self.client.get_object(Bucket=BUCKET, Key=found["Key"])["Body"].read() for found in self.listed(prefix)}

    def head(self, key: str) -> dict:
        """What the store knows of an object: its type, its encoding."""
        return self.client.head_object(Bucket=BUCKET, Key=key)

    def place(self, name: str, **how: str) -> Place:
        prefix = f"{name}/"
        return Place(
            destination={"type": "s3", "bucket": BUCKET, "region": REGION, "endpoint": self.door.url, "objects": {"prefix": prefix, **how}},
            secrets=dict(self.credentials),
            read=lambda: objects.read(self.objects(prefix)),
            door=self.door,
            wrong={**self.credentials, "secret_access_key": "not-the-secret"},
            overwrites=True,
            extra={"prefix": prefix},
        )

    def stop(self) -> None:
        self.door.down()
        self.program.stop()
