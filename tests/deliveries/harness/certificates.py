"""A certificate authority for one run, and one that nobody knows."""

import ssl
from pathlib import Path

import trustme


class Authority:
    """Issues a certificate for loopback, kept in files as other programs want it."""

    def __init__(self, folder: Path, name: str) -> None:
        authority = trustme.CA(organization_name=name)
        issued = authority.issue_cert("localhost", "127.0.0.1")
        self.ca, self.certificate, self.key = (folder / f"{name}-{part}.pem" for part in ("ca", "certificate", "key"))
        authority.cert_pem.write_to_path(str(self.ca))
        issued.private_key_pem.write_to_path(str(self.key))
        self.certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))

    def server(self) -> ssl.SSLContext:
        """For a server on loopback."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context
