// What the screen calls things: events, people, targets, fields and values.
import type { Actor, Event, Target } from "../api/contract";
import { locale, wordsOf } from "../ui/words";
import fields from "./fields.en.json";
import en from "./words.en.json";

const say = wordsOf({ en });
const sayField = wordsOf({ en: fields });

/** Texts of events can be a megabyte long; no line on the screen shows more than this many characters. */
const LINE_CHARACTERS_MAX = 300;

/**
 * Characters that turn the direction of what follows or cannot be seen: they make a text look like another one. Joiners (U+200C,
 * U+200D) stay where a script or an emoji needs them: beside what is not Latin.
 */
const DECEIVING = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|(?<=[\u0000-\u024f])[\u200c\u200d]/g;

/** The beginning of a text, in which characters that deceive the eye are named instead of obeyed. */
export function clip(text: string, characters_max = LINE_CHARACTERS_MAX): string {
  const start = text.length <= characters_max ? text : `${text.slice(0, characters_max)}…`;
  return start.replace(DECEIVING, (character) => `⟨U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`);
}

/** What happened, as a sentence. */
export function activityOf(event: Event): string {
  return event.description || (event.action ? actionName(event.action) : say("removed"));
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
  if (!actor) return { name: say("removed"), detail: "" };
  const [name, other] = new Set([actor.name, actor.email, actor.id].filter((text) => typeof text === "string" && text !== ""));
  const kind = isMachine(actor) ? sentenceCase(actor.type) : "";
  if (typeof name === "string") return { name, detail: [kind, other].filter(Boolean).join(" · ") };
  const known = (["anonymous", "system", "unknown"] as const).find((type) => type === actor.type);
  return { name: known === undefined ? sentenceCase(actor.type) : say(known), detail: actor.type === "anonymous" ? say("not_signed_in") : "" };
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

function actionTypeLabel(type: string): string {
  return type === "read" ? say("view") : sentenceCase(type);
}

/** `users_and_permissions` as `Users and permissions`. Other names (`ec2.amazonaws.com`, `AWS::S3::Bucket`) stay as they are. */
export function sentenceCase(text: string): string {
  if (/[.:/@$\\]/.test(text)) return text;
  const spaced = text.replace(/[_-]+/g, " ").trim();
  return spaced === "" ? text : spaced[0]!.toUpperCase() + spaced.slice(1);
}

let countries: Intl.DisplayNames | undefined;

export function countryName(code: string): string {
  if (!/^[A-Z]{2}$/.test(code)) return code;
  countries ??= new Intl.DisplayNames([locale()], { type: "region", fallback: "code" });
  return countries.of(code) ?? code;
}

/** The fields that the filter menu offers, in the order of use. */
export const FIELDS = ["area", "action_type", "action", "actor", "team", "product", "target", "target_type", "result", "security", "ip", "country"] as const;

const isNamed = (field: string): field is keyof typeof fields => Object.hasOwn(fields, field);

export function fieldName(field: string): string {
  return isNamed(field) ? sayField(field) : field.startsWith("metadata.") ? field.slice("metadata.".length) : sentenceCase(field);
}

/** A field's value in words; `names` knows the names of people by their ids. */
export function valueLabel(field: string, value: string, names: ReadonlyMap<string, string> = new Map()): string {
  switch (field) {
    case "area":
      // Areas of the log's own acts have its name before them.
      return sentenceCase(value.replace(/^trailbook\./, ""));
    case "target_type":
    case "actor_type":
    case "result":
      return sentenceCase(value);
    case "action_type":
      return actionTypeLabel(value);
    case "country":
      return countryName(value.toUpperCase());
    case "security":
      return say(value === "true" ? "security" : "not_security");
    case "actor":
      return names.get(value) ?? value;
    default:
      return value;
  }
}
