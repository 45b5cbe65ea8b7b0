#!/usr/bin/env python3
"""Makes testdata/real: a subset of real audit logs in which nobody can be found again.

    scripts/pseudonymise.py --from DIRECTORY --salt SECRET [--to testdata/real]

DIRECTORY holds one folder or file a source, as testdata/real/README.md names them. The result depends on nothing but the
input and the salt; the salt that made the committed files was thrown away, so that guesses cannot be tried out.

What is replaced, the same original always by the same substitute, in every text of a source (keys excepted):
- mail addresses, and the domains in them: `first.last@word-word.example`
- names and logins: whatever stands at a key that holds one, then wherever it occurs as a whole word
- public IP addresses: the benchmark range 198.18.0.0/15, or 2001:db8::/32; one in four becomes a public resolver's address,
  so that looking up countries has something to find; private and loopback addresses stay
- account, key, profile and customer ids, hashes of commits, node ids and, on GitHub, every number of five or more digits:
  as many digits or letters of the same kind
- long base64 (certificates, tokens): noise of the same length
- what people wrote on GitHub (titles, bodies, messages, names of branches and repositories): words of the same length in
  the same script; spaces, line breaks, punctuation and emoji stay
Everything else (shapes, types, empty values, repetitions, order, large integers) is as the source has it.
"""

import argparse
import gzip
import hashlib
import ipaddress
import json
import pathlib
import random
import re

FIRST = "Ada Amir Anna Aroha Beatriz Boris Carmen Chidi Dana Emeka Farah Femi Gita Hana Hugo Ines Ivan Jonas Kaito Kim Lars Leila Lin Malik Maya Mei Nadia Nils Noor Olga Omar Pablo Priya Quinn Rosa Ravi Sana Sofia Tariq Uma Vera Wei Xenia Yara Yusuf Zoe".split()
LAST = "Adeyemi Ahmed Bauer Berg Castillo Chen Costa Dubois Eriksen Fischer Garcia Haddad Hansen Ito Jansen Joshi Kaya Khan Kovacs Kumar Larsen Lopez Mbeki Meyer Moreau Nakamura Novak Okafor Olsen Park Patel Petrov Quispe Rahman Rossi Sato Silva Singh Tanaka Torres Ueda Vargas Virtanen Walker Wang Weber Yilmaz Zhou".split()
WORDS = "a is to at the and for new add use fix code test with data file type list from into note line value check build error table query order state index event field change update create record report option server module config request version package default response document interface structure collection definition environment performance configuration implementation characterisation".split()
RESOLVERS = ["8.8.8.8", "1.1.1.1", "9.9.9.9", "77.88.8.8", "114.114.114.114", "168.126.63.1", "80.67.169.12", "185.222.222.222"]
SCRIPTS = {
    "hangul": (0xAC00, 0xD7A3, "가나다라마바사아자차카타파하이그저것수말일때도로에서는를을"),
    "kana": (0x3041, 0x30FE, "あいうえおかきくけこさしすせそアイウエオカキクケコ"),
    "han": (0x4E00, 0x9FFF, "一二三人大小中上下日月水火木土年時分事物文字行生学会"),
    "cyrillic": (0x0400, 0x04FF, "абвгдежзиклмнопрстуфхцчшэюя"),
}
# Keys that hold a person's name or login, in any source.
NAME_KEYS = re.compile(
    r"^(login|display_login|userName|user_?name|displayName|publicName|first_?name|last_?name|.*_displayName_s|actor_user_name|"
    r"actor_user_name_s|actor_name|author_name|impersonated_by|target_details|performedBy_name_s|SubjectUserName|TargetUserName|"
    r"user_attributes_(firstname|lastname|username)|source_label|actor)$"
)
# What stands at such a key and is nobody's name.
NOBODY = re.compile(
    r"^(|-|\?|null|none|n/a|unknown( user)?|admin(istrator)?|root|system( user)?|service|local service|network service|anonymous logon|"
    r"test.*|user.*|name|username|first|last|guest|xyz|.*\$|dwm-\d+|umfd-\d+|\d+|.{1,2}|alert-job-user|sanitized@sanitized\.com|"
    r"default|everyone|.*(api|job|integration|directory|aws|okta|sentinel|salesforce|token|account|active).*)$",
    re.I,
)
WRITTEN_KEYS = {"title", "body", "message", "description", "diff_hunk", "homepage", "name", "ref", "label", "master_branch", "commit_message", "merge_commit_message", "page_name", "summary", "tag_name", "target_commitish", "head_branch", "full_name", "gravatar_id", "default_branch", "bio", "company", "location", "blog"}
MAIL = re.compile(r"[\w.+%-]+(?:\[bot\])?@[\w-]+(?:\.[\w-]+)+")
IPV4 = re.compile(r"(?<![\w./-])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])")
IPV6 = re.compile(r"(?<![\w:.])(?:[0-9a-fA-F]{1,4}:){3,7}(?::?[0-9a-fA-F]{1,4})?(?![\w:])")
BASE64 = re.compile(r"[A-Za-z0-9+/]{120,}={0,2}")
AWS_ID = re.compile(r"\b(AIDA|AROA|AKIA|ASIA|ANPA|AGPA)([A-Z0-9]{8,})\b")
# Hosts whose addresses lead to people, or to someone else after a number has been replaced.
HOSTS = {"github.com": "github.example", "githubusercontent.com": "githubusercontent.example"}
# Domains that are nobody's own: replaced in addresses, not elsewhere.
PUBLIC_DOMAINS = {"users.noreply.github.com", "gmail.com", "hotmail.com", "outlook.com", "yahoo.com", "qq.com", "naver.com", "163.com"}


class Source:
    """One source: what its names are, and a substitute for each."""

    def __init__(self, name, salt):
        self.name = name
        self.salt = salt
        self.names = {}
        self.repositories = {}
        self.accounts = set()
        self.domains = dict(HOSTS)
        self.taken = set()
        self.pattern = None

    def dice(self, *what):
        return random.Random(hashlib.sha256("\0".join([self.salt, *map(str, what)]).encode()).digest())

    def person(self, original):
        """A name in the spelling of the original: `First Last`, `first.last` or one word."""
        for attempt in range(1000):
            dice = self.dice("person", self.name, original.lower(), attempt)
            first, last = dice.choice(FIRST), dice.choice(LAST)
            number = "" if attempt < 3 else str(dice.randrange(10, 99))
            name = f"{first} {last}{number}" if " " in original else f"{first}{last}{number}".lower()
            if name not in self.taken:
                self.taken.add(name)
                return name
        raise SystemExit("not enough names")

    def same_shape(self, text, kind="shape"):
        """As many digits and letters of the same kind."""
        dice = self.dice(kind, self.name, text)
        hexadecimal = re.fullmatch(r"[0-9a-f]{8,}", text) and re.search(r"[a-f]", text)

        def one(letter):
            if hexadecimal:
                return dice.choice("0123456789abcdef")
            if letter.isdigit():
                return dice.choice("0123456789")
            if "a" <= letter <= "z":
                return dice.choice("abcdefghijklmnopqrstuvwxyz")
            if "A" <= letter <= "Z":
                return dice.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
            return letter

        whole = "".join(one(letter) for letter in text)
        return dice.choice("123456789") + whole[1:] if text[:1].isdigit() and not hexadecimal else whole

    def written(self, text):
        """Other words of the same length in the same script."""
        def word(match):
            original = match.group()
            dice = self.dice("word", self.name, original)
            if original.isascii():
                fitting = [known for known in WORDS if len(known) == len(original)]
                new = dice.choice(fitting) if fitting else (WORDS[dice.randrange(len(WORDS))] * len(original))[: len(original)]
                return new.upper() if original.isupper() else new.capitalize() if original[0].isupper() else new
            pools = [pool for low, high, pool in SCRIPTS.values() if low <= ord(original[0]) <= high]
            return "".join(dice.choice(pools[0] if pools else original) for _ in original)

        scripts = "|".join(f"[{chr(low)}-{chr(high)}]+" for low, high, _ in SCRIPTS.values())
        text = re.sub(rf"[A-Za-z]+|{scripts}|[\u00c0-\u024f]+", word, text)
        return re.sub(r"\d{4,}", lambda match: self.same_shape(match.group()), text)

    def domain(self, original):
        low = original.lower()
        if low == "users.noreply.github.com" or low.endswith(".example") or low in ("example.com", "example.io"):
            return original
        dice = self.dice("domain", low)
        if low in PUBLIC_DOMAINS:
            return f"{dice.choice(LAST).lower()}-mail.example"
        return self.domains.setdefault(low, f"{dice.choice(LAST).lower()}-{dice.choice(WORDS[5:])}.example")

    def mail(self, match):
        local, _, domain = match.group().rpartition("@")
        dice = self.dice("mail", self.name, local.lower())
        new = self.names.get(local.lower()) or f"{dice.choice(FIRST)}.{dice.choice(LAST)}{dice.randrange(100)}".lower()
        return f"{new.replace(' ', '.')}@{self.domain(domain)}"

    def address(self, match):
        try:
            address = ipaddress.ip_address(match.group())
        except ValueError:
            return match.group()
        if not address.is_global:
            return match.group()
        dice = self.dice("address", address)
        if address.version == 6:
            return str(ipaddress.IPv6Address((0x20010DB8 << 96) | dice.getrandbits(64)))
        if dice.randrange(4) == 0:
            return dice.choice(RESOLVERS)
        return f"198.{18 + dice.randrange(2)}.{dice.randrange(256)}.{dice.randrange(1, 255)}"

    def learn(self, value, key=""):
        """Collects names from one record."""
        if isinstance(value, dict):
            for inner, item in value.items():
                self.learn(item, inner)
        elif isinstance(value, list):
            for item in value:
                self.learn(item, key)
        elif isinstance(value, str):
            if value[:1] in "{[" and key.endswith("_s"):
                self.learn(parsed(value), key)
            # On GitHub every login is somebody's, whatever it looks like; elsewhere many values name no one.
            somebody = self.name == "github" or not NOBODY.match(value)
            if value and NAME_KEYS.match(key) and len(value) < 80 and "@" not in value and somebody:
                self.name_for(value)
            if self.name == "github" and key == "name" and re.fullmatch(r"[\w.-]+/[\w.-]+", value):
                owner, repository = value.split("/")
                self.name_for(owner)
                self.repositories.setdefault(repository, self.written(repository))
            if self.name == "cloudtrail":
                self.accounts.update(re.findall(r"(?:(?<!\d)|(?<=%[0-9A-F]{2}))\d{12}(?!\d)", value))
            for match in MAIL.findall(value):
                self.domain(match.rpartition("@")[2])

    def name_for(self, value):
        person = value.removesuffix("[bot]")
        if person.lower() not in self.names:
            self.names[person.lower()] = self.person(person)

    def text(self, value, key):
        if self.name == "github" and key in WRITTEN_KEYS and not re.fullmatch(r"[\w.-]+/[\w.-]+", value):
            return self.written(value)
        value = BASE64.sub(lambda match: self.same_shape(match.group()), value)
        value = MAIL.sub(self.mail, value)
        value = IPV4.sub(self.address, value)
        value = IPV6.sub(self.address, value)
        value = AWS_ID.sub(lambda match: match.group(1) + self.same_shape(match.group(2)), value)
        if self.pattern:
            value = self.pattern.sub(self.word, value)
        for account in self.accounts:
            value = value.replace(account, self.same_shape(account))
        if self.name == "google-workspace" and key in ("profileId", "customerId", "doc_id", "value", "owner"):
            value = re.sub(r"\b(\d{15,}|C0\w{7}|[\w-]{25,60})\b", lambda match: self.same_shape(match.group()), value)
        if self.name == "github":
            value = re.sub(r"\b[0-9a-f]{40}\b", lambda match: self.same_shape(match.group()), value)
            value = re.sub(r"\d{5,}", lambda match: self.same_shape(match.group()), value) if not TIME.match(value) else value
            value = self.same_shape(value) if key == "node_id" else value
        return value

    def word(self, match):
        word = match.group()
        return self.repositories.get(word) or self.names.get(word.lower()) or self.domains.get(word.lower()) or word

    def replace(self, value, key=""):
        if isinstance(value, dict):
            return {inner: self.replace(item, inner) for inner, item in value.items()}
        if isinstance(value, list):
            return [self.replace(item, key) for item in value]
        if isinstance(value, str):
            return self.text(value, key)
        if self.name == "github" and isinstance(value, int) and not isinstance(value, bool) and value > 9999:
            return int(self.same_shape(str(value)))
        return value

    def run(self, records):
        for record in records:
            self.learn(record)
        def longest(words):
            return "|".join(re.escape(word) for word in sorted(words, key=lambda word: (-len(word), word)) if len(word) > 1)

        # A word may also begin after an escape of a URL.
        begins, people = r"(?:(?<!\w)|(?<=%[0-9A-F]{2}))", longest([*self.names, *self.domains])
        self.pattern = re.compile(rf"{begins}(?:{longest(self.repositories) or '(?!)'}|(?i:{people or '(?!)'}))(?!\w)")
        return [self.replace(record) for record in records]


TIME = re.compile(r"\d{4}-\d\d-\d\dT")


def parsed(text):
    try:
        return json.loads(text)
    except ValueError:
        return None


def read(path):
    with gzip.open(path, "rt", encoding="utf-8", newline="\n") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def size(record):
    return len(json.dumps(record, ensure_ascii=False).encode())


def every(records, step, keep=lambda record: False):
    return [record for index, record in enumerate(records) if index % step == 0 or keep(record)]


def github(records):
    """Every second record that is small, and the largest of all."""
    largest = max(records, key=size)
    return [record for index, record in enumerate(records) if record is largest or (index % 2 == 0 and size(record) < 6000)]


def windows(records):
    """One in 170, and the first three lines that occur twice, both times."""
    texts = [json.dumps(record, sort_keys=True) for record in records]
    seen, twice = set(), []
    for text in texts:
        if text in seen and text not in twice and len(twice) < 3:
            twice.append(text)
        seen.add(text)
    return [record for index, (record, text) in enumerate(zip(records, texts)) if index % 170 == 0 or text in twice]


SOURCES = [
    ("cloudtrail", "aws-cloudtrail/events", lambda r: every(r, 5, lambda x: "type" not in x["userIdentity"] and x["eventTime"] < "2023-07-10T12:00")),
    ("google-workspace", "google-workspace/events", lambda r: r),
    ("okta", "okta-flattened/events", lambda r: r[:300]),
    ("github", "github-public-events/events", github),
    ("windows", "windows-security/events", windows),
    ("rule-tests", "saas-rule-tests/events", lambda r: every(r, 3)),
    ("duo_admin", "saas-mixed/duo_admin", lambda r: every(r, 4)),
    ("zeronetworks", "saas-mixed/zeronetworks", lambda r: every(r, 5)),
] + [
    (name, f"saas-mixed/{name}", lambda r: r)
    for name in "slack slack_flattened jira confluence salesforce snowflake gitlab onelogin zoom gcp_iam_flattened alicloud prisma_cloud".split()
]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--from", dest="origin", required=True, type=pathlib.Path, help="directory of the originals")
    parser.add_argument("--to", default="testdata/real", type=pathlib.Path, help="directory to write to")
    parser.add_argument("--salt", required=True, help="any text; keep it to yourself or throw it away")
    arguments = parser.parse_args()
    arguments.to.mkdir(parents=True, exist_ok=True)
    for name, path, choose in SOURCES:
        records = Source(name, arguments.salt).run(choose(read(arguments.origin / f"{path}.jsonl.gz")))
        lines = "".join(json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n" for record in records)
        # No name and no time in the header, so that equal content gives equal files.
        data = gzip.compress(lines.encode(), compresslevel=9, mtime=0)
        (arguments.to / f"{name}.jsonl.gz").write_bytes(data)
        print(f"{name}: {len(records)} records, {len(lines.encode())} bytes, {len(data)} compressed")


if __name__ == "__main__":
    main()
