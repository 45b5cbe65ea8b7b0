// The sentence of an event with its people and things as links: who is named in it is found in the text, since products write
// their sentences themselves.
import type { Event } from "../../api/contract";
import { activityOf, clip, personOf, targetOf } from "../../event/words";

/** Somebody or something whose history can be asked for. */
export interface Named {
  name: string;
  field: "actor" | "target";
  value: string;
}

export type Piece = string | Named;

export interface Sentence {
  pieces: Piece[];
  /** Who did it, unless the sentence says so. */
  actor: Named | null;
  /** Whom or what it was done to, as far as the sentence does not say so. */
  targets: Named[];
}

const SENTENCE_CHARACTERS_MAX = 600;
/** Of events with a thousand targets, as many are looked for in the sentence. */
const TARGETS_MAX = 20;
/** Shorter names would be found inside of other words. */
const NAME_CHARACTERS_MIN = 2;

export function sentenceOf(event: Event): Sentence {
  const actor = actorOf(event);
  const targets = targetsOf(event);
  const text = clip(activityOf(event), SENTENCE_CHARACTERS_MAX);
  let pieces: Piece[] = [text];
  for (const named of actor === null ? targets : [actor, ...targets]) pieces = pieces.flatMap((piece) => (typeof piece === "string" ? linked(piece, named) : [piece]));
  const isMissing = (named: Named) => !pieces.some((piece) => typeof piece !== "string" && piece.field === named.field && piece.value === named.value);
  return { pieces, actor: actor !== null && isMissing(actor) ? actor : null, targets: targets.filter(isMissing) };
}

function actorOf({ actor }: Event): Named | null {
  const value = actor?.id ?? actor?.email ?? actor?.name;
  return value ? { name: personOf(actor).name, field: "actor", value } : null;
}

function targetsOf({ targets }: Event): Named[] {
  return (targets ?? []).slice(0, TARGETS_MAX).flatMap((target) => {
    const value = target.id ?? target.email ?? target.name;
    return value ? [{ name: targetOf(target).name, field: "target" as const, value }] : [];
  });
}

/** A text with the first place of a name taken out of it; a name is whole words. */
function linked(text: string, named: Named): Piece[] {
  const name = clip(named.name);
  if (name.length < NAME_CHARACTERS_MIN) return [text];
  const isWord = (character: string | undefined) => character !== undefined && /[\p{L}\p{N}]/u.test(character);
  for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1)) {
    const end = at + name.length;
    if (isWord(text[at - 1]) || isWord(text[end])) continue;
    return [text.slice(0, at), { ...named, name }, text.slice(end)].filter((piece) => piece !== "");
  }
  return [text];
}
