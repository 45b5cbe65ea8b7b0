import { expect, test } from "vitest";
import { DESTINATION_TYPES, type Destination } from "../../api/streams";
import { placeOf, readDestination, readSecrets, typeOf, wayOf, writtenOf } from "./destinations";

const typed = (fields: Record<string, string>) => (name: string) => fields[name] || undefined;
const keep = { set: [], way: 0, removed: new Set<string>() };

const S3: Destination = { type: "s3", bucket: "logs", region: "eu-central-1", objects: { prefix: "audit", format: "parquet", compression: "zstd" } };
const SYSLOG: Destination = { type: "syslog", host: "siem.example", port: 6514, tls: true, ca: "-----BEGIN…", format: "cef" };
const OTLP: Destination = { type: "otlp", url: "https://otlp.example/v1/logs", headers: { Environment: "production", "X-Team": "a:b" } };
const DATADOG: Destination = { type: "datadog", site: "datadoghq.eu", tags: ["team:audit", "env:live"] };

test.each([S3, SYSLOG, OTLP, DATADOG])("what a form shows of $type is read back as it was", (destination) => {
  const fields = typeOf(destination.type).members.map((member) => [`destination/${member.name}`, writtenOf(member, destination)] as const);
  expect(readDestination(destination.type, typed(Object.fromEntries(fields)))).toEqual(destination);
});

test("what may be missing is left out, and what is off or empty is said", () => {
  const plain = readDestination("syslog", typed({ "destination/host": "h", "destination/port": "514", "destination/format": "json" }));
  expect(plain).toEqual({ type: "syslog", host: "h", port: 514, tls: false, format: "json" });
  expect(readDestination("webhook", typed({ "destination/url": "https://a.example" }))).toEqual({ type: "webhook", url: "https://a.example", headers: {} });
});

test("a new form begins with what is usual", () => {
  const first = typeOf("syslog").members.map((member) => writtenOf(member, null));
  expect(first).toEqual(["", "6514", "on", "", ""]);
});

test("secrets that are not typed stay as they are, and those that are removed are null", () => {
  const set = ["access_key_id", "secret_access_key", "session_token"];
  expect(readSecrets("s3", typed({ "secrets/secret_access_key": "new" }), { ...keep, set, removed: new Set(["session_token"]) })).toEqual({ secret_access_key: "new", session_token: null });
  expect(readSecrets("s3", typed({}), { ...keep, set })).toEqual({});
});

test("another way of signing in removes the secrets of the one before", () => {
  expect(wayOf("elasticsearch", ["password", "username"])).toBe(1);
  expect(wayOf("elasticsearch", [])).toBe(0);
  const now = typed({ "secrets/username": "u", "secrets/password": "p", "secrets/api_key": "left in the form" });
  expect(readSecrets("elasticsearch", now, { set: ["api_key"], way: 1, removed: new Set() })).toEqual({ api_key: null, username: "u", password: "p" });
});

test("secret headers are secrets by their name, and stay until they are removed", () => {
  const added = typed({ "header_name/0": "Authorization", "header_value/0": "Bearer x", "header_name/1": "Left-Empty" });
  expect(readSecrets("otlp", added, { ...keep, set: ["header.X-Old", "header.X-Gone"], removed: new Set(["header.X-Gone"]) })).toEqual({ "header.Authorization": "Bearer x", "header.X-Gone": null });
});

test.each(DESTINATION_TYPES)("%s has members, and secrets without two of a name", (type) => {
  const { members, ways } = typeOf(type);
  expect(members.length).toBeGreaterThan(0);
  ways.forEach((way) => expect(new Set(way.map(({ name }) => name)).size).toBe(way.length));
});

test.each<[Destination, string]>([
  [S3, "logs/audit"],
  [SYSLOG, "siem.example:6514"],
  [DATADOG, "datadoghq.eu"],
  [{ type: "elasticsearch", url: "https://e.example", index: "audit" }, "https://e.example · audit"],
  [{ type: "azure_blob", account: "acme", container: "logs", objects: { prefix: "" } }, "acme/logs"],
])("a destination is called by its place", (destination, place) => expect(placeOf(destination)).toBe(place));
