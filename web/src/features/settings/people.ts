// People and what they may do, in words.
import type { User } from "../../api/administration";
import type { Policy } from "../../api/contract";
import { say } from "./words";

/** What somebody is called. */
export function called(user: Pick<User, "name" | "email">): string {
  return user.name ?? user.email;
}

/** Rights in words: `look, take files`. */
export function mayWords(rights: Policy["rights"]): string {
  const has = (["view", "export", "administer"] as const).filter((right) => rights[right]).map((right) => say(`may_${right}`));
  return has.length === 0 ? say("may_nothing") : has.join(", ");
}

/** The roles that the policy speaks of. */
export function rolesOf(policy: Policy): string[] {
  return [...new Set([...policy.view_roles, ...policy.export_roles, ...policy.administer_roles])];
}
