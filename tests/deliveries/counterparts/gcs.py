"""Google Cloud Storage: gcp-storage-emulator, a door before it that checks the caller's signed token, and Google's own client.

The emulator lets everybody in, and leaves two headers out of its answers to uploads by the XML interface, which Google documents
and clients want; the door puts both right.
"""

import hashlib
import json
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from google.api_core.client_options import ClientOptions
from google.auth import jwt
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

from counterparts import objects
from counterparts.place import Place
from harness.door import Answer, Door, Request, passing_on
from harness.process import Program, free_port

#: Letters alone: the emulator reads no percent-encoding in a bucket's name, and object stores' libraries encode hyphens as well.
BUCKET = "archive"
ACCOUNT = "trailbook@project.iam.gserviceaccount.example"
#: What a token for the storage is for: the scope, or the address of the service.
AUDIENCES = {"https://storage.googleapis.com/", "https://storage.googleapis.com"}
SCOPES = ("https://www.googleapis.com/auth/devstorage", "https://www.googleapis.com/auth/cloud-platform")


class Key:
    """A service account's key as the JSON file that Google hands out, and the certificate that proves what it signed."""

    def __init__(self) -> None:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, ACCOUNT)])
        now = datetime.now(timezone.utc)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(1)
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=365))
            .sign(key, hashes.SHA256())
        )
        self.certificate = certificate.public_bytes(serialization.Encoding.PEM)
        private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        self.file = json.dumps(
            {
                "type": "service_account",
                "project_id": "project",
                "private_key_id": "1f",
                "private_key": private.decode(),
                "client_email": ACCOUNT,
                "client_id": "1",
                "auth_uri": "https://accounts.google.com/o/oauth2/auth",
                "token_uri": "https://oauth2.googleapis.com/token",
            }
        )


class Gcs:
    """One server with one bucket; each stream has a prefix of its own."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.ask = passing_on(self.port)
        self.door = Door(self.answer)
        address = ["--host=127.0.0.1", f"--port={self.port}", "--in-memory"]
        self.program = Program([sys.executable, "-m", "gcp_storage_emulator", "start", *address], folder / "gcs-log")
        self.program.ready("gcp-storage-emulator", self.port)
        self.client = storage.Client(
            project="project",
            credentials=AnonymousCredentials(),
            client_options=ClientOptions(api_endpoint=f"http://127.0.0.1:{self.port}"),
        )
        self.bucket = self.client.create_bucket(BUCKET)
        self.key = Key()

    def answer(self, request: Request) -> Answer:
        if not self.may(request):
            return Answer(401, b"no token of the account")
        answer = self.ask(request)
        if request.method == "PUT" and answer.status == 200:
            answer.headers |= {"etag": f'"{hashlib.md5(request.body).hexdigest()}"', "x-goog-generation": "1"}
        return answer

    def may(self, request: Request) -> bool:
        """Whether the token was signed by the account's key, for the storage, and holds now. Google's library decides."""
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        try:
            claims = jwt.decode(token, certs=self.key.certificate)
        except ValueError:
            return False
        meant = claims.get("aud") in AUDIENCES or str(claims.get("scope", "")).startswith(SCOPES)
        return kind == "Bearer" and claims["iss"] == ACCOUNT and meant

    def objects(self, prefix: str) -> dict[str, bytes]:
        """The objects below a prefix, as they lie there."""
        names = [blob.name for blob in self.client.list_blobs(BUCKET, prefix=prefix)]
        # Asked for by name: what the listing calls the address is the door's.
        return {name: self.bucket.blob(name).download_as_bytes(raw_download=True) for name in names}

    def place(self, name: str, **how: str) -> Place:
        prefix = f"{name}/"
        return Place(
            destination={"type": "gcs", "bucket": BUCKET, "endpoint": self.door.url, "objects": {"prefix": prefix, **how}},
            secrets={"service_account_key": self.key.file},
            read=lambda: objects.read(self.objects(prefix)),
            door=self.door,
            wrong={"service_account_key": Key().file},
            overwrites=True,
            extra={"prefix": prefix},
        )

    def stop(self) -> None:
        self.door.down()
        self.program.stop()
