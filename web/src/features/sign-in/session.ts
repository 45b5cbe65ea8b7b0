// Who is looking: the organization and the key. Kept in this tab only (sessionStorage), never in a URL that stays.
import type { Credentials } from "../../api/client";

const NAME = "trailbook.session";

/** Credentials from a fragment such as `#key=…&organization=…`; null when it does not name both. */
export function readFragment(fragment: string): Credentials | null {
  const set = new Map<string, string>();
  for (const pair of fragment.replace(/^#/, "").split("&")) {
    const cut = pair.indexOf("=");
    if (cut > 0) set.set(pair.slice(0, cut), decode(pair.slice(cut + 1)));
  }
  return credentials(set.get("organization"), set.get("key"), set.get("project"));
}

/** Credentials of what was typed or kept; null when organization or key is missing. */
export function credentials(organization?: string, key?: string, project?: string | null): Credentials | null {
  const [name, secret] = [organization?.trim() ?? "", key?.trim() ?? ""];
  return name === "" || secret === "" ? null : { organization: name, key: secret, project: project?.trim() || null };
}

export function load(storage: Storage): Credentials | null {
  try {
    const kept = JSON.parse(storage.getItem(NAME) ?? "null") as Partial<Credentials> | null;
    return kept === null ? null : credentials(kept.organization, kept.key, kept.project);
  } catch {
    return null;
  }
}

export function save(storage: Storage, session: Credentials | null): void {
  if (session === null) storage.removeItem(NAME);
  else storage.setItem(NAME, JSON.stringify(session));
}

/** Percent-decodes; a `+` stays a plus sign, because keys may have one. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
