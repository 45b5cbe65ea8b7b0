"""What objects in a bucket say, whichever store they lie in: JSON lines, compressed or not, and Parquet."""

import gzip
import io
import json

import pyarrow.parquet
import zstandard


def lines_of(key: str, body: bytes) -> list[dict]:
    """The JSON texts of an object. What it is told by its first bytes, not by its name."""
    if body.startswith(b"\x1f\x8b"):
        body = gzip.decompress(body)
    elif body.startswith(b"\x28\xb5\x2f\xfd"):
        body = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(body)).read()
    assert body.endswith(b"\n"), f"{key} ends within a line"
    return [json.loads(line) for line in body.split(b"\n")[:-1]]


def rows_of(body: bytes) -> list[dict]:
    """The rows of a Parquet object."""
    return pyarrow.parquet.read_table(io.BytesIO(body)).to_pylist()


def read(objects: dict[str, bytes]) -> list[dict]:
    """All that the objects say, in the order of their keys."""
    said = []
    for key in sorted(objects):
        body = objects[key]
        said += rows_of(body) if body.startswith(b"PAR1") else lines_of(key, body)
    return said
