// Questions that readers of a log ask again and again, ready to be chosen.
import type { Access } from "../../api/client";
import { printCondition } from "../../query/terms";

export type Question = { id: "failed_sign_ins" | "permission_changes" | "exports" | "key_use" | "deletions" | "my_activity"; query: string };

const QUESTIONS: Question[] = [
  { id: "failed_sign_ins", query: "type:login result:failure,denied" },
  { id: "permission_changes", query: "(permission OR role) -type:read" },
  { id: "exports", query: "type:export" },
  // Sources call keys in many ways: as who acts, as what is acted on, or in words.
  { id: "key_use", query: 'actor_type:api_key OR target_type:api_key OR "api key" OR "api keys"' },
  { id: "deletions", query: "type:delete" },
];

/** The questions for whoever looks; only of who is signed in it is known who they are. */
export function questions(access: Access): Question[] {
  if (access.kind !== "session") return QUESTIONS;
  return [...QUESTIONS, { id: "my_activity", query: printCondition({ field: "actor", values: [{ text: access.email, prefix: false }], negated: false }) }];
}
