// Who is looking. A key or viewer token is kept by this tab alone (sessionStorage), never in a URL that stays; of a session, which is
// the browser's cookie, nothing is kept here.
import type { KeyAccess, SessionAccess } from "../../api/client";
import type { SignedIn } from "../../api/contract";

const NAME = "trailbook.session";
/** The people of this organization of the default project are the operators. */
const SYSTEM = "_system";
const DEFAULT_PROJECT = "default";

/** What a link's fragment brings: access to an organization, or the secret of a letter that lets its holder choose a password. */
export type Brought = { kind: "access"; access: KeyAccess } | { kind: "letter"; secret: string };

/** Reads a fragment such as `#key=…&organization=…`, `#organization=…&token=…` or `#tb_link_…`; null when it brings nothing whole. */
export function readFragment(fragment: string): Brought | null {
  if (/^#tb_link_/.test(fragment)) return { kind: "letter", secret: fragment.slice(1) };
  const set = new Map<string, string>();
  for (const pair of fragment.replace(/^#/, "").split("&")) {
    const cut = pair.indexOf("=");
    if (cut > 0) set.set(pair.slice(0, cut), decode(pair.slice(cut + 1)));
  }
  const kind = set.has("token") ? "token" : "key";
  const access = keyAccess(kind, set.get("organization"), set.get(kind), set.get("project"));
  return access === null ? null : { kind: "access", access };
}

/** Whether a fragment has, or was meant to have, a secret that must not stay in the address bar. */
export function hasSecret(fragment: string): boolean {
  return /^#tb_|[#&](key|token|organization)=/.test(fragment);
}

/** Access of what was typed or kept; null when organization or key is missing. */
export function keyAccess(kind: KeyAccess["kind"], organization?: string, key?: string, project?: string | null): KeyAccess | null {
  const [name, secret] = [organization?.trim() ?? "", key?.trim() ?? ""];
  return name === "" || secret === "" ? null : { kind, organization: name, key: secret, project: project?.trim() || null };
}

/** The access of whoever is signed in: to their organization. */
export function sessionAccess({ organization, project, name, email }: SignedIn): SessionAccess {
  const isOperator = organization === SYSTEM && project === DEFAULT_PROJECT;
  return { kind: "session", organization, project, person: name ?? email, email, isOperator };
}

/** What the tab has kept; null where that is nothing whole, or the browser forbids storage: asking for it throws there. */
export function load(storage: () => Storage): KeyAccess | null {
  try {
    const kept = JSON.parse(storage().getItem(NAME) ?? "null") as Partial<KeyAccess> | null;
    return kept === null ? null : keyAccess(kept.kind === "token" ? "token" : "key", kept.organization, kept.key, kept.project);
  } catch {
    return null;
  }
}

/** Keeps this access in place of the one before, or none. */
export function save(storage: () => Storage, access: KeyAccess | null): void {
  try {
    storage().removeItem(NAME);
    if (access !== null) storage().setItem(NAME, JSON.stringify(access));
  } catch {
    // Forbidden or full: the tab asks for the key again when it is loaded anew.
  }
}

/** Percent-decodes; a `+` stays a plus sign, because keys may have one. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
