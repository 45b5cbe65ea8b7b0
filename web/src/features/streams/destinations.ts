// Where streams can go: what each type of destination has to be told, and what it is called in one line.
//
// Invariants
// - A destination is sent with every member that its type has, and without those that may be missing and are empty.
// - Of its secrets only those are sent that were typed; one that belongs to another way of signing in is removed.
//
// Not here: whether a value is right, which the server says at its field.
import type { Destination, DestinationType } from "../../api/streams";
import type { Typed } from "../../ui/Form";
import { linesOf, readHeaders, writeHeaders } from "../../ui/lines";

/** How a member is typed. A list are the values that there are. */
export type Kind = "text" | "url" | "port" | "flag" | "lines" | "pem" | "headers" | readonly string[];

export interface Member {
  /** A path below the destination. */
  name: string;
  kind: Kind;
  /** `must` has to be there, `may` is left out when it is empty, `empty` is sent as it is. */
  need: "must" | "may" | "empty";
  first?: string;
}

export interface SecretOf {
  name: string;
  isOptional: boolean;
}

interface Type {
  members: readonly Member[];
  /** Each a set of secrets that suffices; the first one is usual. */
  ways: readonly (readonly SecretOf[])[];
  /** Whether headers can be kept secret. */
  hasSecretHeaders: boolean;
}

const must = (name: string, kind: Kind = "text", first?: string): Member => ({ name, kind, need: "must", ...(first === undefined ? {} : { first }) });
const may = (name: string, kind: Kind = "text"): Member => ({ name, kind, need: "may" });
const secret = (name: string, isOptional = false): SecretOf => ({ name, isOptional });
const type = (members: Member[], ways: SecretOf[][], hasSecretHeaders = false): Type => ({ members, ways, hasSecretHeaders });

const OBJECTS: Member[] = [{ name: "objects/prefix", kind: "text", need: "empty" }, must("objects/format", ["jsonl", "parquet"]), must("objects/compression", ["gzip", "zstd", "none"])];
const HEADERS: Member = { name: "headers", kind: "headers", need: "empty" };

const TYPES: Record<DestinationType, Type> = {
  s3: type([must("bucket"), must("region"), may("endpoint", "url"), ...OBJECTS], [[secret("access_key_id"), secret("secret_access_key"), secret("session_token", true)]]),
  gcs: type([must("bucket"), may("endpoint", "url"), ...OBJECTS], [[secret("service_account_key")]]),
  azure_blob: type([must("account"), must("container"), may("endpoint", "url"), ...OBJECTS], [[secret("access_key")], [secret("sas_token")]]),
  webhook: type([must("url", "url"), HEADERS], [[secret("secret", true), secret("previous_secret", true)]], true),
  splunk_hec: type([must("url", "url"), may("index"), may("source_type")], [[secret("token")]]),
  datadog: type([must("site", "text", "datadoghq.com"), may("url", "url"), may("service"), { name: "tags", kind: "lines", need: "empty" }], [[secret("api_key")]]),
  elasticsearch: type([must("url", "url"), must("index")], [[secret("api_key")], [secret("username"), secret("password")]]),
  otlp: type([must("url", "url"), HEADERS], [[]], true),
  syslog: type([must("host"), must("port", "port", "6514"), must("tls", "flag", "on"), may("ca", "pem"), must("format", ["json", "cef"])], [[]]),
};

export function typeOf(destination: DestinationType): Type {
  return TYPES[destination];
}

/** How secret headers are called among the secrets. */
export const SECRET_HEADER = "header.";

/** The way of signing in that these secrets are of. */
export function wayOf(destination: DestinationType, set: readonly string[]): number {
  return Math.max(0, TYPES[destination].ways.findIndex((way) => way.some(({ name }) => set.includes(name))));
}

/** What a form has for a member at first. */
export function writtenOf(member: Member, destination: Destination | null): string {
  if (destination === null) return member.first ?? "";
  const value = member.name.split("/").reduce<unknown>((at, name) => (at as Record<string, unknown> | null | undefined)?.[name], destination);
  if (Array.isArray(value)) return value.join("\n");
  if (member.kind === "headers") return writeHeaders((value ?? {}) as Record<string, string>);
  return value === true ? "on" : value === false || value === null || value === undefined ? "" : String(value);
}

/** The destination that was typed; rejects what cannot be sent as it is written with a fault at its field. */
export function readDestination(destination: DestinationType, typed: Typed): Destination {
  const read: Destination = { type: destination };
  for (const member of TYPES[destination].members) {
    const name = `destination/${member.name}`;
    const text = typed(name);
    if (text === undefined && member.need === "may") continue;
    const path = member.name.split("/");
    const last = path.pop()!;
    const into = path.reduce<Record<string, unknown>>((at, part) => (at[part] ??= {}) as Record<string, unknown>, read);
    into[last] = valueOf(member.kind, name, text);
  }
  return read;
}

function valueOf(kind: Kind, name: string, text = ""): unknown {
  switch (kind) {
    case "port":
      return Number(text);
    case "flag":
      return text !== "";
    case "lines":
      return linesOf(text);
    case "headers":
      return readHeaders(name, text);
    default:
      return text;
  }
}

/** What becomes of the secrets that are set. */
export interface SecretWish {
  set: readonly string[];
  way: number;
  /** Those to be removed. */
  removed: ReadonlySet<string>;
}

/** The secrets to be sent: what was typed, and null for those that go. */
export function readSecrets(destination: DestinationType, typed: Typed, { set, way, removed }: SecretWish): Record<string, string | null> {
  const { ways, hasSecretHeaders } = TYPES[destination];
  const own = new Set((ways[way] ?? []).map(({ name }) => name));
  const gone = set.filter((name) => removed.has(name) || !(own.has(name) || (hasSecretHeaders && name.startsWith(SECRET_HEADER))));
  const sent: Record<string, string | null> = Object.fromEntries(gone.map((name) => [name, null]));
  for (const name of new Set([...own, ...set.filter((each) => !gone.includes(each))])) {
    const text = typed(`secrets/${name}`);
    if (text !== undefined) sent[name] = text;
  }
  for (let at = 0; hasSecretHeaders && at < SECRET_HEADERS_MAX; at++) {
    const [header, value] = [typed(`header_name/${at}`), typed(`header_value/${at}`)];
    if (header !== undefined && value !== undefined) sent[SECRET_HEADER + header] = value;
  }
  return sent;
}

/** Secret headers that can be added at once. */
export const SECRET_HEADERS_MAX = 8;

/** Where a destination is, in one line. */
export function placeOf(destination: Destination): string {
  const text = (name: string) => (typeof destination[name] === "string" ? destination[name] : "");
  const prefix = (destination["objects"] as { prefix?: string } | undefined)?.prefix ?? "";
  switch (destination.type) {
    case "s3":
    case "gcs":
      return [text("bucket"), prefix].filter(Boolean).join("/");
    case "azure_blob":
      return [text("account"), text("container"), prefix].filter(Boolean).join("/");
    case "datadog":
      return text("url") || text("site");
    case "syslog":
      return `${text("host")}:${String(destination["port"])}`;
    default:
      return [text("url"), text("index")].filter(Boolean).join(" · ");
  }
}
