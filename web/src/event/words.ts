// What the screen calls things: events, people, targets, fields and values.
import type { Actor, Event, Target } from "../api/contract";

/** Texts of events can be a megabyte long; no line on the screen shows more than this many characters. */
const LINE_CHARACTERS_MAX = 300;

/** Characters that turn the direction of what follows, and control characters: they make a text look like another one. */
const DECEIVING = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** The beginning of a text, in which characters that deceive the eye are named instead of obeyed. */
export function clip(text: string, characters_max = LINE_CHARACTERS_MAX): string {
  const start = text.length <= characters_max ? text : `${text.slice(0, characters_max)}…`;
  return start.replace(DECEIVING, (character) => `⟨U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`);
}

/** What happened, as a sentence. */
export function activityOf(event: Event): string {
  return event.description || (event.action ? actionName(event.action) : "Removed");
}

/** `user_created` and `CHANGE_LAST_NAME` in words; an action of any other shape as it is. */
function actionName(action: string): string {
  return /^[A-Za-z]+(_[A-Za-z]+)+$/.test(action) ? sentenceCase(action.toLowerCase()) : action;
}

export interface Person {
  name: string;
  /** What tells them apart from others of that name; may be empty. */
  detail: string;
}

export function personOf(actor: Actor | null | undefined): Person {
  if (!actor) return { name: "Removed", detail: "" };
  const [name, other] = new Set([actor.name, actor.email, actor.id].filter((text) => typeof text === "string" && text !== ""));
  const kind = isMachine(actor) ? sentenceCase(actor.type) : "";
  if (typeof name === "string") return { name, detail: [kind, other].filter(Boolean).join(" · ") };
  const nameless: Record<string, string> = { anonymous: "Anonymous", system: "System", unknown: "Unknown" };
  return { name: nameless[actor.type] ?? sentenceCase(actor.type), detail: actor.type === "anonymous" ? "Not signed in" : "" };
}

/** Whether no person acted; also when nothing is known of who did. */
export function isMachine(actor: Actor | null | undefined): boolean {
  return !["user", "anonymous", "unknown"].includes(actor?.type ?? "unknown");
}

export function targetOf(target: Target): Person {
  const name = target.name || target.email || target.id || sentenceCase(target.type);
  const kind = target.type === "unknown" ? "" : sentenceCase(target.type);
  const detail = [kind, target.email !== name ? target.email : null].filter(Boolean).join(" · ");
  return { name, detail };
}

/** Two letters for the round mark beside a person's name. */
export function initials(name: string): string {
  const words = name.replace(/@.*/s, "").split(/[^\p{L}\p{N}]+/u, 8).filter((word) => word !== "");
  const letters = words.length > 1 ? [words[0], words[words.length - 1]] : [words[0]];
  const first = letters.map((word) => [...(word ?? "")][0] ?? "").join("");
  return (first.length === 1 ? [...(words[0] ?? "")].slice(0, 2).join("") : first).toUpperCase() || "·";
}

/** A long name in two pieces, so that what is cut to fit is its middle: paths and addresses differ at their ends. */
export function headAndTail(text: string): [string, string] {
  const cut = text.search(/[\\/:][^\\/:]{1,24}$/);
  return text.length < 24 || cut < 8 || /\s/.test(text) ? [text, ""] : [text.slice(0, cut), text.slice(cut)];
}

const ACTION_TYPES: Record<string, string> = { read: "View" };

export function actionTypeLabel(type: string): string {
  return ACTION_TYPES[type] ?? sentenceCase(type);
}

/** `users_and_permissions` as `Users and permissions`. Other names (`ec2.amazonaws.com`, `AWS::S3::Bucket`) stay as they are. */
export function sentenceCase(text: string): string {
  if (/[.:/@$\\]/.test(text)) return text;
  const spaced = text.replace(/[_-]+/g, " ").trim();
  return spaced === "" ? text : spaced[0]!.toUpperCase() + spaced.slice(1);
}

const COUNTRIES = new Intl.DisplayNames(["en"], { type: "region", fallback: "code" });

export function countryName(code: string): string {
  return /^[A-Z]{2}$/.test(code) ? (COUNTRIES.of(code) ?? code) : code;
}

/** The fields that the filter menu offers, in the order of use; chips name these and all others. */
export const FIELDS = [
  ["area", "Area"],
  ["action_type", "Type"],
  ["action", "Action"],
  ["actor", "User"],
  ["team", "Team"],
  ["product", "Product"],
  ["target", "Target"],
  ["target_type", "Target type"],
  ["result", "Result"],
  ["security", "Security"],
  ["ip", "IP address"],
  ["country", "Country"],
] as const;

const FIELD_NAMES: Record<string, string> = {
  ...Object.fromEntries(FIELDS),
  occurred_at: "Time",
  received_at: "Received",
  expires_at: "Kept until",
  description: "Activity",
  "actor.name": "User’s name",
  "actor.email": "User’s e-mail",
  "actor.id": "User’s ID",
  "actor.type": "User type",
  "actor.team": "Team",
  "targets.name": "Target’s name",
  "targets.email": "Target’s e-mail",
  "targets.id": "Target’s ID",
  "targets.type": "Target type",
  "changes.field": "Changed field",
  "changes.before": "Before",
  "changes.after": "After",
  "context.ip": "IP address",
  "context.user_agent": "Browser",
  "context.url": "Page",
  "context.referrer": "Came from",
  id: "Log ID",
  actor_type: "User type",
  trace_id: "Trace",
  client_id: "Client ID",
  changed: "Changed field",
};

export function fieldName(field: string): string {
  return FIELD_NAMES[field] ?? (field.startsWith("metadata.") ? field.slice("metadata.".length) : sentenceCase(field));
}

/** A field's value in words; `names` knows the names of people by their ids. */
export function valueLabel(field: string, value: string, names: ReadonlyMap<string, string> = new Map()): string {
  switch (field) {
    case "area":
    case "target_type":
    case "actor_type":
    case "result":
      return sentenceCase(value);
    case "action_type":
      return actionTypeLabel(value);
    case "country":
      return countryName(value.toUpperCase());
    case "security":
      return value === "true" ? "Security actions" : "Other actions";
    case "actor":
      return names.get(value) ?? value;
    default:
      return value;
  }
}
