#!/usr/bin/env python3
"""Checks an evidence file of Trailbook with Python's standard library alone.

    python3 verify.py --key VKEY [FILE.zip | FOLDER]

FOLDER is an unpacked evidence file; without either, it is the folder of this script. Three statements are made, each by
itself: authentic (are these events what the ledger held?), complete (are all events of the range accounted for?) and
filtered (which of them are in the file?). Exit codes: 0 verified; 1 tampered or incomplete; 2 could not be checked.

Written from docs/formats/evidence.md, tree.md and event.md of Trailbook, which say what is checked here and why. Memory
does not grow with the file. A script that came in the archive which it is to check proves nothing if somebody forged both:
take it from docs/verify.py of Trailbook, and the key from whoever you agreed on it with.
"""

import argparse
import base64
import datetime
import hashlib
import json
import os
import re
import struct
import sys
import traceback
import uuid
import zipfile
import zlib

SMALL_FILE_BYTES_MAX = 1 << 20
LINE_BYTES_MAX = 64 << 20
FINDINGS_MAX = 100
NEEDED = ["README.txt", "checkpoint", "range-proof.json", "leaves.bin", "events.jsonl", "evidence.json"]
OPTIONAL = ["verify.py"]
SEAL = b"trailbook-evidence/1 crc32="
PARTS = ["core", "actor", "targets", "context", "details"]


class NotChecked(Exception):
    """This is not evidence that can be checked."""


class Wrong(Exception):
    """Something does not hold; the text is the end of a sentence."""


# What is said.


class Report:
    """What was found, by the statement that it contradicts."""

    def __init__(self):
        self.findings = []
        self.count = 0
        self.denied = set()
        self.notes = []

    def find(self, place, detail, *statements):
        """Something is wrong at a place. Unless statements are named, it is neither authentic nor complete."""
        self.count += 1
        self.denied.update(statements or ("authentic", "complete"))
        if len(self.findings) < FINDINGS_MAX:
            self.findings.append(f"{place}: {detail}")

    def event(self, leaf, detail, *statements):
        self.find(f"event {leaf.sequence} ({leaf.id})", detail, *statements)


# Ed25519 (RFC 8032), strict: canonical encodings only, no public key and no commitment of small order, no cofactor.

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)
IDENTITY = (0, 1, 1, 0)


def add(first, second):
    """The sum of two points in extended coordinates."""
    a = (first[1] - first[0]) * (second[1] - second[0]) % P
    b = (first[1] + first[0]) * (second[1] + second[0]) % P
    c = 2 * first[3] * second[3] * D % P
    d = 2 * first[2] * second[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def multiply(scalar, point):
    total = IDENTITY
    while scalar > 0:
        if scalar & 1:
            total = add(total, point)
        point = add(point, point)
        scalar >>= 1
    return total


def equal(first, second):
    return (first[0] * second[2] - second[0] * first[2]) % P == 0 and (first[1] * second[2] - second[1] * first[2]) % P == 0


def point(encoded):
    """The point of a canonical encoding; None for anything else."""
    y = int.from_bytes(encoded, "little")
    sign = y >> 255
    y &= (1 << 255) - 1
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P != 0:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P != 0 or (x == 0 and sign == 1):
        return None
    if x & 1 != sign:
        x = P - x
    return (x, y, 1, x * y % P)


def is_small(some_point):
    return equal(multiply(8, some_point), IDENTITY)


BASE = point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def signature_holds(key, message, signature):
    if len(signature) != 64:
        return False
    public, commitment = point(key), point(signature[:32])
    response = int.from_bytes(signature[32:], "little")
    if public is None or commitment is None or response >= L or is_small(public) or is_small(commitment):
        return False
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    return equal(multiply(response, BASE), add(commitment, multiply(challenge, public)))


# Notes and checkpoints (tree.md, "Checkpoints and notes").


def decode_base64(text):
    """The bytes of standard base64 with padding and without stray bits."""
    try:
        decoded = base64.b64decode(text, validate=True)
    except ValueError:
        raise Wrong("it has something that is not base64") from None
    if base64.b64encode(decoded).decode() != text:
        raise Wrong("it has base64 with stray bits")
    return decoded


def is_name(text):
    return text != "" and not any(character.isspace() or ord(character) < 0x20 or character in "+\x7f" for character in text)


def read_key(text):
    """Name, key id and public key of a verifier key."""
    parts = text.strip().split("+", 2)
    try:
        if len(parts) != 3 or not is_name(parts[0]) or not re.fullmatch("[0-9a-f]{8}", parts[1]):
            raise Wrong("")
        typed_key = decode_base64(parts[2])
    except Wrong:
        raise NotChecked("The value of --key is not a verifier key, NAME+ID+KEY.") from None
    key_id = hashlib.sha256(parts[0].encode() + b"\n" + typed_key).digest()[:4]
    if len(typed_key) != 33 or typed_key[0] != 1 or key_id.hex() != parts[1]:
        raise NotChecked("The value of --key is damaged: its parts do not belong together.")
    return parts[0], key_id, typed_key[1:]


def open_note(note, key):
    """The text of a note that the key signed."""
    name, key_id, public = key
    try:
        text = note.decode("utf-8")
    except UnicodeDecodeError:
        raise Wrong("it is not UTF-8") from None
    if any(ord(character) < 0x20 and character != "\n" for character in text):
        raise Wrong("it has control characters")
    end = text.rfind("\n\n")
    if end < 0 or not text.endswith("\n"):
        raise Wrong("it is not a signed note")
    message, lines = text[: end + 1], text[end + 2 : -1].split("\n")
    if len(lines) > 100:
        raise Wrong("it has too many signatures")
    is_signed = False
    for line in lines:
        match = re.fullmatch("\u2014 ([^ ]+) ([^ ]+)", line)
        blob = decode_base64(match.group(2)) if match else b""
        if len(blob) < 5 or not is_name(match.group(1)):
            raise Wrong("it has a line that is not a signature")
        if match.group(1) == name and blob[:4] == key_id:
            if not signature_holds(public, message.encode(), blob[4:]):
                raise Wrong("its signature does not hold")
            is_signed = True
    if not is_signed:
        raise Wrong(f"it is not signed by the key {name}")
    return message


def read_checkpoint(text):
    """Origin, size and root."""
    lines = text.split("\n")
    if len(lines) != 4 or lines[3] != "" or not is_name(lines[0]) or not re.fullmatch("0|[1-9][0-9]{0,18}", lines[1]):
        raise Wrong("it is not a checkpoint")
    size, root = int(lines[1]), decode_base64(lines[2])
    if size >= 1 << 63 or len(root) != 32:
        raise Wrong("it is not a checkpoint")
    return lines[0], size, root


# JSON: strict for our own files, canonical (event.md, section 4) for the parts of events.


def unique(pairs):
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Wrong("it has a key twice")
    return members


def refuse_constant(text):
    raise Wrong(f"it has {text}, which is not JSON")


def read_json(text):
    try:
        return json.loads(text.decode("utf-8"), object_pairs_hook=unique, parse_constant=refuse_constant)
    except (ValueError, RecursionError) as error:
        raise Wrong(f"it is not JSON ({error})") from None


def read_object(text, members):
    """An object with exactly these members, each of its type."""
    value = read_json(text)
    check_members(value, members)
    return value


def check_members(value, members):
    if type(value) is not dict or set(value) != set(members):
        raise Wrong("it does not have exactly the members " + ", ".join(members))
    for name, kinds in members.items():
        kinds = kinds if isinstance(kinds, tuple) else (kinds,)
        if type(value[name]) not in kinds or (type(value[name]) is int and not 0 <= value[name] < 1 << 63):
            raise Wrong(f"{name} is not as it should be")


INTEGER_MAX = 2**53 - 1
# The escapes of canonical texts; U+0000 is in none.
ESCAPES = re.compile(r'\\(?:["\\btnfr]|u00(?:0[1-7bef]|1[0-9a-f]))')


def ecmascript_number(text):
    """How ECMAScript writes the double that a text names."""
    sign, digits, exponent = re.fullmatch(r"(-?)([0-9.]+)(?:e([-+][0-9]+))?", repr(float(text))).groups()
    whole, _, fraction = digits.partition(".")
    place = len(whole) + int(exponent or 0)
    digits = whole + fraction
    place -= len(digits) - len(digits.lstrip("0"))
    digits = digits.strip("0")
    if digits == "":
        return "0"
    if len(digits) <= place <= 21:
        return sign + digits + "0" * (place - len(digits))
    if 0 < place <= 21:
        return sign + digits[:place] + "." + digits[place:]
    if -6 < place <= 0:
        return sign + "0." + "0" * -place + digits
    mantissa = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
    return f"{sign}{mantissa}e{'+' if place > 0 else '-'}{abs(place - 1)}"


def canonical_float(text):
    if float(text) in (float("inf"), float("-inf")) or ecmascript_number(text) != text:
        raise Wrong("it has a number that is not in canonical form")
    return float(text)


def canonical_integer(text):
    if text == "-0" or abs(int(text)) > INTEGER_MAX:
        raise Wrong("it has a number that is not in canonical form")
    return int(text)


def canonical_object(pairs):
    keys = [key for key, _ in pairs]
    units = keys if "".join(keys).isascii() else [key.encode("utf-16-be") for key in keys]
    if any(before >= after for before, after in zip(units, units[1:])):
        raise Wrong("it has keys twice or out of order")
    return dict(pairs)


CANONICAL = json.JSONDecoder(
    object_pairs_hook=canonical_object,
    parse_float=canonical_float,
    parse_int=canonical_integer,
    parse_constant=refuse_constant,
)


def read_canonical(text):
    try:
        text = text.decode("utf-8")
        value = CANONICAL.decode(text)
    except (ValueError, OverflowError, RecursionError) as error:
        raise Wrong(f"it is not JSON ({error})") from None
    without_escapes = ESCAPES.sub("", text)
    between_texts = "".join(without_escapes.split('"')[::2])
    if "\\" in without_escapes or any(space in between_texts for space in " \t\n\r"):
        raise Wrong("it is not in canonical form")
    return value


# The tree (tree.md, "Tree hashing", "Compact ranges", "Range proofs").


def sha256(*pieces):
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.digest()


def subtrees(begin, end):
    """The sizes of the subtrees that leaves begin to end fall into."""
    while begin < end:
        size = 1 << ((end - begin).bit_length() - 1)
        if begin > 0:
            size = min(size, begin & -begin)
        yield size
        begin += size


class Tree:
    """Subtrees from leaf 0 on, joined as they come."""

    def __init__(self):
        self.size = 0
        self.stack = []

    def append(self, size, subtree):
        begin = self.size
        self.size += size
        while self.stack and self.stack[-1][0] == size and (begin - size) % (2 * size) == 0:
            subtree = sha256(b"\x01", self.stack.pop()[1], subtree)
            begin -= size
            size *= 2
        self.stack.append((size, subtree))

    def append_range(self, begin, end, hashes):
        sizes = list(subtrees(begin, end))
        if len(sizes) != len(hashes):
            raise Wrong(f"it has {len(hashes)} hashes for {begin} to {end}, and {len(sizes)} are needed")
        for size, subtree in zip(sizes, hashes):
            self.append(size, subtree)

    def root(self):
        if not self.stack:
            return sha256()
        root = self.stack[-1][1]
        for _, subtree in reversed(self.stack[:-1]):
            root = sha256(b"\x01", subtree, root)
        return root


LEAF = struct.Struct(">18sIQq16s160s")
LEAF_DOMAIN = b"trailbook/leaf/v1\0"
PART_DOMAIN = b"trailbook/part/v1\0"


class Leaf:
    """A leaf record, and the place where it stands."""

    def __init__(self, record, place):
        self.record, self.sequence = record, place
        self.domain, self.epoch, self.says, self.received_at, id_bytes, commitments = LEAF.unpack(record)
        self.id = str(uuid.UUID(bytes=id_bytes))
        self.commitments = [commitments[start : start + 32] for start in range(0, 160, 32)]


class Leaves:
    """The leaf records of the range, one after the other, while they grow the tree."""

    def __init__(self, file, manifest, tree, report):
        self.file, self.tree, self.report = file, tree, report
        self.place, self.end, self.epoch = manifest["begin"], manifest["end"], manifest["epoch"]
        self.before = None

    def next(self):
        if self.place == self.end:
            return None
        record = self.file.read(LEAF.size)
        if len(record) < LEAF.size:
            self.report.find("leaves.bin", f"it ends before the leaf record of event {self.place}")
            self.end = self.place
            return None
        self.tree.append(1, sha256(b"\x00", record))
        leaf = Leaf(record, self.place)
        self.check(leaf)
        self.place, self.before = self.place + 1, leaf
        return leaf

    def check(self, leaf):
        before = self.before
        if leaf.domain != LEAF_DOMAIN:
            self.report.event(leaf, "its leaf record is not one")
        if leaf.says != leaf.sequence:
            self.report.event(leaf, f"its leaf record says sequence {leaf.says}")
        if leaf.epoch > self.epoch:
            self.report.event(leaf, f"its leaf record is of epoch {leaf.epoch}, the checkpoint of {self.epoch}")
        if before and (leaf.epoch < before.epoch or leaf.received_at < before.received_at or leaf.id <= before.id):
            self.report.event(leaf, "its epoch, time of receipt or Log ID comes before that of its predecessor")

    def finish(self):
        while self.next():
            pass
        if self.file.read(1):
            self.report.find("leaves.bin", "it goes on after the end of the range")


# Events (evidence.md, "events.jsonl" and "Checking").


def time_text(millis):
    try:
        time = datetime.datetime(1970, 1, 1) + datetime.timedelta(milliseconds=millis)
    except OverflowError:
        return "no time"
    return time.isoformat(timespec="milliseconds") + "Z"


LINE = {"sequence": int, "id": str, "epoch": int, "received_at": str, "parts": list}


class Events:
    """The lines of events.jsonl, held against the leaf records beside them."""

    def __init__(self, file, leaves, manifest, report):
        self.file, self.leaves, self.manifest, self.report = file, leaves, manifest, report
        self.count, self.redacted = 0, 0

    def check(self):
        leaf = self.leaves.next()
        number = 0
        while True:
            text = self.file.readline(LINE_BYTES_MAX)
            if not text:
                break
            number += 1
            try:
                if not text.endswith(b"\n"):
                    raise Wrong("it does not end in a newline, or is too long")
                line = read_object(text[:-1], LINE)
            except Wrong as wrong:
                near = f", near event {leaf.sequence} ({leaf.id})," if leaf else ""
                self.report.find(f"events.jsonl line {number}", f"the line{near} cannot be read: {wrong}")
                # In a whole file the line was that of the leaf at hand.
                if leaf and not self.manifest["filtered"]:
                    self.count += 1
                    leaf = self.leaves.next()
                continue
            while leaf and leaf.sequence < line["sequence"] and leaf.id != line["id"]:
                self.skip(leaf)
                leaf = self.leaves.next()
            if leaf is None or (leaf.sequence != line["sequence"] and leaf.id != line["id"]):
                event = f"the line of event {line['sequence']} ({line['id']})"
                detail = f"{event} stands a second time, out of order, or outside of the range"
                self.report.find(f"events.jsonl line {number}", detail)
                continue
            self.count += 1
            self.pair(line, leaf)
            leaf = self.leaves.next()
        while leaf:
            self.skip(leaf)
            leaf = self.leaves.next()
        if self.count != self.manifest["events"]:
            detail = f"it has {self.count} events, and evidence.json says {self.manifest['events']}"
            self.report.find("events.jsonl", detail, "complete")

    def skip(self, leaf):
        if not self.manifest["filtered"]:
            self.report.event(leaf, "it is missing from events.jsonl, or not in its place there", "complete")

    def pair(self, line, leaf):
        """Holds a line against its leaf record."""
        expected = {"sequence": leaf.says, "id": leaf.id, "epoch": leaf.epoch, "received_at": time_text(leaf.received_at)}
        for member, value in expected.items():
            if line[member] != value:
                detail = f"its line says {member} {line[member]}, its leaf record {value}"
                self.report.event(leaf, detail, "authentic")
        try:
            if len(line["parts"]) != len(PARTS):
                raise Wrong("it does not have five parts")
            for number, part in enumerate(line["parts"], 1):
                self.part(number, part, leaf)
        except Wrong as wrong:
            self.report.event(leaf, f"in its line, {wrong}", "authentic")

    def part(self, number, part, leaf):
        name, commitment = PARTS[number - 1], leaf.commitments[number - 1]
        is_redacted = type(part) is dict and "commitment" in part
        members = ["name", "commitment"] if is_redacted else ["name", "bytes", "salt"]
        check_members(part, dict.fromkeys(members, str))
        if part["name"] != name:
            raise Wrong(f"part {number} is {part['name']}, not {name}")
        if is_redacted:
            self.redacted += 1
            if decode_base64(part["commitment"]) != commitment:
                self.report.event(leaf, f"the commitment of its redacted part {name} is another", "authentic")
            return
        salt, content = decode_base64(part["salt"]), decode_base64(part["bytes"])
        if len(salt) != 32 or sha256(PART_DOMAIN, bytes([number]), salt, content) != commitment:
            self.report.event(leaf, f"its part {name} is not what its leaf record commits to", "authentic")
            return
        try:
            value = read_canonical(content)
        except Wrong as wrong:
            self.report.event(leaf, f"its part {name} is not canonical JSON: {wrong}", "authentic")
            return
        organization = self.manifest["organization"]
        if name == "core" and (type(value) is not dict or value.get("organization") != organization):
            self.report.event(leaf, f"it is not an event of {organization}", "authentic")


# Where the files are: an archive, or the folder that it was unpacked to.


class Piece:
    """A file within the archive, as a stream that counts its checksum."""

    def __init__(self, path, start, size):
        self.file = open(path, "rb")
        self.file.seek(start)
        self.left, self.checksum = size, 0

    def take(self, read, size):
        taken = read(min(size, self.left))
        self.left -= len(taken)
        self.checksum = zlib.crc32(taken, self.checksum)
        return taken

    def read(self, size):
        return self.take(self.file.read, size)

    def readline(self, size):
        return self.take(self.file.readline, size)

    def rest(self):
        while self.read(1 << 16):
            pass
        self.file.close()


class Archive:
    """An evidence file (evidence.md, "Container")."""

    def __init__(self, path):
        self.path = path
        try:
            with zipfile.ZipFile(path) as archive:
                entries, self.comment = archive.infolist(), archive.comment
        except OSError as error:
            raise NotChecked(f"{path} cannot be read: {error.strerror or error}.") from None
        except Exception as error:  # zipfile raises many kinds for what is no archive
            raise NotChecked(f"{path} is not a zip archive that can be read: {error}.") from None
        names = sorted(entry.orig_filename for entry in entries)
        if names not in (sorted(NEEDED), sorted(NEEDED + OPTIONAL)):
            raise NotChecked(f"{path} is not evidence: it has the files {', '.join(names)}.")
        self.check_end()
        self.entries = {}
        end = 0
        for entry in sorted(entries, key=lambda entry: entry.header_offset):
            if (end == 0 and entry.header_offset > 0) or entry.header_offset < end:
                raise NotChecked(f"In {path}, {entry.filename} does not stand where a file may.")
            start = self.content_of(entry)
            self.entries[entry.filename] = (entry, start)
            end = start + entry.file_size

    def check_end(self):
        """Nothing follows the end record and its comment."""
        size = 22 + len(self.comment)
        with open(self.path, "rb") as file:
            file.seek(-size, os.SEEK_END)
            record = file.read(size)
        if record[:4] != b"PK\5\6" or struct.unpack("<H", record[20:22])[0] != len(self.comment):
            raise NotChecked(f"{self.path} does not end where its last record says.")

    def content_of(self, entry):
        """Where an entry's content begins. Its two headers must say the same."""
        name = entry.orig_filename.encode()
        with open(self.path, "rb") as file:
            file.seek(entry.header_offset)
            header = file.read(30 + len(name))
        if len(header) < 30 + len(name):
            raise NotChecked(f"{self.path} is cut in {entry.filename}.")
        signature, _, flags, method, _, _, crc, packed, plain, name_size, extra_size = struct.unpack("<4s5H3I2H", header[:30])
        if flags & 0x2041 or method != 0 or entry.compress_type != 0 or entry.compress_size != entry.file_size:
            raise NotChecked(f"In {self.path}, {entry.filename} is compressed or encrypted; it must be neither.")
        sizes_follow = flags & 8 or 0xFFFFFFFF in (packed, plain)
        is_same = sizes_follow or (crc, packed, plain) == (entry.CRC, entry.file_size, entry.file_size)
        same_head = (signature, flags, name_size, header[30:]) == (b"PK\3\4", entry.flag_bits, len(name), name)
        if not (same_head and is_same):
            raise NotChecked(f"In {self.path}, the two headers of {entry.filename} differ.")
        return entry.header_offset + 30 + name_size + extra_size

    def for_people(self):
        """The files that are not part of the proof."""
        return [name for name in ("README.txt", *OPTIONAL) if name in self.entries]

    def size(self, name):
        return self.entries[name][0].file_size

    def stream(self, name):
        entry, start = self.entries[name]
        return Piece(self.path, start, entry.file_size)

    def finish(self, name, piece, report):
        piece.rest()
        if piece.left > 0 or piece.checksum != self.entries[name][0].CRC:
            report.find(name, "it does not have its checksum", "archive")

    def check_seal(self, report):
        if not self.comment:
            report.notes.append("The archive has been packed by another program than Trailbook; what is in it was checked.")
            return
        checksum, left = 0, os.path.getsize(self.path) - len(self.comment)
        with open(self.path, "rb") as file:
            while left > 0:
                block = file.read(min(left, 1 << 20))
                if not block:
                    break
                left -= len(block)
                checksum = zlib.crc32(block, checksum)
        if self.comment != SEAL + b"%08x" % checksum:
            report.find("the archive", "its bytes do not match its seal: some of it was changed", "archive")


class Folder:
    """An evidence file that was unpacked."""

    def __init__(self, path):
        self.path = path
        missing = [name for name in NEEDED if not os.path.isfile(os.path.join(path, name))]
        if missing:
            raise NotChecked(f"{path} is not evidence: it lacks {', '.join(missing)}.")

    def for_people(self):
        return []

    def size(self, name):
        return os.path.getsize(os.path.join(self.path, name))

    def stream(self, name):
        return Piece(os.path.join(self.path, name), 0, self.size(name))

    def finish(self, name, piece, report):
        piece.rest()

    def check_seal(self, report):
        report.notes.append("The archive was unpacked: its checksums were not there to be checked; the proof was.")


# The check.

MANIFEST = {
    "format": str,
    "version": int,
    "origin": str,
    "project": str,
    "organization": str,
    "epoch": int,
    "begin": int,
    "end": int,
    "size": int,
    "events": int,
    "filtered": bool,
    "filter": (str, type(None)),
    "generated_by": str,
    "generated_at": str,
}
RANGE_PROOF = {"begin": int, "end": int, "size": int, "left": list, "right": list}


def whole(source, name, report):
    if source.size(name) > SMALL_FILE_BYTES_MAX:
        raise NotChecked(f"{name} is larger than it may be.")
    piece = source.stream(name)
    content = piece.read(SMALL_FILE_BYTES_MAX)
    source.finish(name, piece, report)
    return content


def read_manifest(content):
    try:
        manifest = read_json(content)
        if type(manifest) is dict and (manifest.get("format"), manifest.get("version")) != ("trailbook-evidence", 1):
            raise Wrong("this script checks trailbook-evidence version 1, and it is of another")
        check_members(manifest, MANIFEST)
    except Wrong as wrong:
        raise NotChecked(f"evidence.json cannot be used: {wrong}.") from None
    if not manifest["begin"] <= manifest["end"] <= manifest["size"]:
        raise NotChecked("The range in evidence.json does not lie within the ledger.")
    return manifest


def signed_root(note, key, manifest, report):
    """The root that the key signed; None when it signed none, or one of another ledger."""
    try:
        origin, size, root = read_checkpoint(open_note(note, key))
        if origin != key[0]:
            raise Wrong(f"it is of the ledger {origin}, and the key is for {key[0]}")
    except Wrong as wrong:
        report.find("checkpoint", str(wrong))
        return None
    for member, value in {"origin": origin, "size": size}.items():
        if manifest[member] != value:
            report.find("evidence.json", f"it says {member} {manifest[member]}, the checkpoint {value}")
    epoch = f"/e{manifest['epoch']}" if manifest["epoch"] > 1 else ""
    if not manifest["origin"].endswith(f"/{manifest['project']}/{manifest['organization']}{epoch}"):
        report.find("evidence.json", "its origin is not that of its project, organization and epoch")
    return root


def surroundings(content, manifest, tree, report):
    """Grows the tree by what is left of the range; answers the hashes on its right, None when they cannot be used."""
    try:
        proof = read_object(content, RANGE_PROOF)
        if any(proof[member] != manifest[member] for member in ("begin", "end", "size")):
            raise Wrong("it is not of the range that evidence.json names")
        hashes = {}
        for side in ("left", "right"):
            if any(type(text) is not str for text in proof[side]):
                raise Wrong(f"{side} is not a list of hashes")
            hashes[side] = [decode_base64(text) for text in proof[side]]
            if any(len(subtree) != 32 for subtree in hashes[side]):
                raise Wrong(f"{side} has something that is no hash")
        tree.append_range(0, manifest["begin"], hashes["left"])
        return hashes["right"]
    except Wrong as wrong:
        report.find("range-proof.json", str(wrong))
        return None


def check_root(tree, right, root, manifest, report):
    if right is None or root is None:
        return
    try:
        tree.append_range(manifest["end"], manifest["size"], right)
    except Wrong as wrong:
        report.find("range-proof.json", str(wrong))
        return
    if tree.size != manifest["size"] or tree.root() != root:
        report.find("leaves.bin", "with range-proof.json it does not lead to the root that the checkpoint signs")


def check(source, key, report):
    """Everything that is checked, in the order of evidence.md; answers what the file says it is, and its events."""
    for name in source.for_people():
        whole(source, name, report)
    manifest = read_manifest(whole(source, "evidence.json", report))
    root = signed_root(whole(source, "checkpoint", report), key, manifest, report)
    tree = Tree()
    right = surroundings(whole(source, "range-proof.json", report), manifest, tree, report)
    if right is None:
        tree.size = manifest["begin"]
    leaves_file, events_file = source.stream("leaves.bin"), source.stream("events.jsonl")
    leaves = Leaves(leaves_file, manifest, tree, report)
    events = Events(events_file, leaves, manifest, report)
    events.check()
    leaves.finish()
    source.finish("leaves.bin", leaves_file, report)
    source.finish("events.jsonl", events_file, report)
    check_root(tree, right, root, manifest, report)
    source.check_seal(report)
    return manifest, events


def conclude(manifest, events, report):
    """The outcome, then the three statements, then what else there is to say."""
    begin, end, count = manifest["begin"], manifest["end"], events.count
    places = end - begin
    say("ledger", f"{manifest['origin']}, {manifest['size']} events when the checkpoint was signed")
    if "authentic" in report.denied:
        say("authentic", "NO: not everything is what the ledger held, see below")
    else:
        say("authentic", f"yes: {count} events are, byte for byte, what the ledger held when the checkpoint was signed")
    if "complete" in report.denied:
        say("complete", f"NO: not everything from {begin} to {end} is there, see below")
    else:
        say("complete", f"yes: every place from {begin} up to {end} (not included) has its proven leaf record")
    if manifest["filtered"]:
        left_out = f"{count} of {places} events of the range are in the file; of the others only the time of receipt is proven"
        chosen = "" if manifest["filter"] is None else f"; the exporter says that the filter was: {manifest['filter']}"
        say("filtered", f"yes: {left_out}{chosen}")
    else:
        say("filtered", f"no: {count} of {places} events of the range are in the file")
    if events.redacted:
        report.notes.append(f"{events.redacted} parts were redacted; the leaf records have their commitments.")
    for note in report.notes:
        say("note", note)


def say(word, sentence):
    # What files say goes to a terminal: nothing in it may move the cursor or change a line.
    print(f"  {word:<10} " + "".join(character if character.isprintable() else "\ufffd" for character in sentence))


def main():
    parser = argparse.ArgumentParser(description="Checks an evidence file of Trailbook, or the folder it was unpacked to.")
    parser.add_argument("--key", required=True, metavar="VKEY", help="the ledger's verifier key, got by another way than the file")
    parser.add_argument("path", nargs="?", metavar="FILE|FOLDER", help="without it, the folder of this script")
    arguments = parser.parse_args()
    path = arguments.path or os.path.dirname(os.path.abspath(__file__))
    report, held = Report(), None
    try:
        key = read_key(arguments.key)
        source = Folder(path) if os.path.isdir(path) else Archive(path)
        held = check(source, key, report)
    except NotChecked as why:
        if not report.count:
            print("COULD NOT BE CHECKED")
            say("why", str(why))
            return 2
        report.find("the file", str(why))
    except OSError as error:
        print("COULD NOT BE CHECKED")
        say("why", f"{path} cannot be read: {error.strerror or error}.")
        return 2
    print("TAMPERED OR INCOMPLETE" if report.count else "VERIFIED")
    if held:
        conclude(*held, report)
    for finding in report.findings:
        say("wrong", finding)
    if report.count > len(report.findings):
        say("wrong", f"{report.count - len(report.findings)} more")
    return 1 if report.count else 0


if __name__ == "__main__":
    try:
        code = main()
        sys.stdout.flush()
    except Exception:
        # Neither a bug in here nor a reader that went away says anything about the events.
        traceback.print_exc()
        os._exit(2)
    sys.exit(code)
