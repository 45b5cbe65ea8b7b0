// The roles of a provider's groups as lines of a field. Their order counts, and an object of JavaScript keeps it only as long as no name
// looks like a whole number: those come first, whatever was written.
import type { Provider } from "../../api/administration";
import { FieldFault } from "../../ui/attempt";
import { linesOf } from "../../ui/lines";
import { say } from "./words";

type Roles = Provider["roles"];

/** One line each, such as `log-admins = administrator`. */
export function writeRoles(roles: Roles): string {
  return Object.entries(roles).map(([group, role]) => `${group} = ${role}`).join("\n");
}

/** The roles of such lines, in their order; rejects what cannot be sent as it is written with a fault at the field. */
export function readRoles(text: string | undefined): Roles {
  const roles = new Map<string, string>();
  for (const line of linesOf(text)) {
    const cut = line.lastIndexOf("=");
    const [group, role] = [line.slice(0, cut).trim(), line.slice(cut + 1).trim()];
    const refuse = (why: "group_roles_fault" | "group_roles_number" | "group_roles_twice") => new FieldFault("roles", say(why, { line, group }));
    if (cut < 0 || group === "" || role === "") throw refuse("group_roles_fault");
    if (/^(0|[1-9]\d*)$/.test(group)) throw refuse("group_roles_number");
    if (roles.has(group)) throw refuse("group_roles_twice");
    roles.set(group, role);
  }
  return Object.fromEntries(roles);
}

/** Whether these roles would be sent back as they came: their order may be lost already. */
export function canWriteBack(roles: Roles): boolean {
  try {
    return JSON.stringify(readRoles(writeRoles(roles))) === JSON.stringify(roles);
  } catch (fault) {
    if (fault instanceof FieldFault) return false;
    throw fault;
  }
}
