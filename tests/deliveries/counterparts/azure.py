"""Azure Blob: Microsoft's Azurite, which checks signatures and shared access signatures, and Microsoft's own client."""

import base64
import os
from datetime import datetime, timedelta, timezone
from pathlib import Path

from azure.storage.blob import AccountSasPermissions, BlobServiceClient, ResourceTypes, generate_account_sas

from counterparts import objects
from counterparts.place import Place
from harness.door import Door, passing_on
from harness.process import Program, free_port

ACCOUNT = "trailbooktests"
KEY = base64.b64encode(b"a key of sixty-four bytes, as long as those that Microsoft makes").decode()
CONTAINER = "audit-log-archive"
#: Where `scripts/deliveries` installed what package.json names.
MODULES = (
    Path(os.environ.get("TRAILBOOK_DELIVERIES_NODE", Path(__file__).resolve().parents[3] / "target" / "deliveries-node")) / "node_modules"
)


class Azure:
    """One server with one container; each stream has a prefix of its own."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        script = MODULES / "azurite" / "dist" / "src" / "blob" / "main.js"
        assert script.exists(), f"Azurite is not in {MODULES}; scripts/deliveries installs it"
        address = [
            "--blobHost",
            "127.0.0.1",
            "--blobPort",
            self.port,
            "--inMemoryPersistence",
            "--disableTelemetry",
            "--skipApiVersionCheck",
        ]
        self.program = Program(
            ["node", script, *address], folder / "azure-log", {**os.environ, "AZURITE_ACCOUNTS": f"{ACCOUNT}:{KEY}"}, folder
        )
        self.program.ready("Azurite", self.port)
        self.client = BlobServiceClient(f"http://127.0.0.1:{self.port}/{ACCOUNT}", credential=KEY)
        self.container = self.client.create_container(CONTAINER)
        self.door = Door(passing_on(self.port))

    def sas(self, hours: int = 1, key: str = KEY) -> str:
        """A shared access signature for so long."""
        return generate_account_sas(
            ACCOUNT,
            key,
            ResourceTypes(container=True, object=True),
            AccountSasPermissions(read=True, write=True, create=True, list=True, add=True),
            datetime.now(timezone.utc) + timedelta(hours=hours),
        )

    def objects(self, prefix: str) -> dict[str, bytes]:
        """The blobs below a prefix, as they lie there."""
        found = self.container.list_blobs(name_starts_with=prefix)
        return {blob.name: self.container.download_blob(blob.name).readall() for blob in found}

    def place(self, name: str, sas: bool = False, **how: str) -> Place:
        prefix = f"{name}/"
        other = base64.b64encode(b"another key").decode()
        return Place(
            destination={
                "type": "azure_blob",
                "account": ACCOUNT,
                "container": CONTAINER,
                "endpoint": f"{self.door.url}/{ACCOUNT}",
                "objects": {"prefix": prefix, **how},
            },
            secrets={"sas_token": self.sas()} if sas else {"access_key": KEY},
            read=lambda: objects.read(self.objects(prefix)),
            door=self.door,
            wrong={"sas_token": self.sas(key=other)} if sas else {"access_key": other},
            overwrites=True,
            extra={"prefix": prefix},
        )

    def stop(self) -> None:
        self.door.down()
        self.program.stop()
