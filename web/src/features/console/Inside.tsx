import { useMemo, useSyncExternalStore } from "react";
import type { Access } from "../../api/client";
import type { Screen } from "../../screen";
import { keeping, kept, type Place } from "../../ui/place";
import { Viewer } from "../../Viewer";
import { TopBar } from "./TopBar";

interface Props {
  access: Access;
  place: Place;
  onLeave: () => Promise<void>;
  onEnd: () => void;
}

const BAR = <TopBar />;
/** What of the address names the organization. */
const CHOICE = ["organization", "project"] as const;

/** The screen of the organization that the address names, else of the access's own; links and steps within stay with it. */
export function Inside({ access, place, onLeave, onEnd }: Props) {
  const choice = useSyncExternalStore(place.subscribe, () => kept(place, CHOICE).toString());
  const chosen = useMemo(() => chosenAccess(access, new URLSearchParams(choice)), [access, choice]);
  const inner = useMemo(() => keeping(place, CHOICE), [place]);
  const organizations = useMemo((): Screen["organizations"] => {
    if (access.kind === "token") return null;
    const choose = (organization: string | null, project: string | null = null) => place.go(`/${addressOf(organization, project)}`, "push");
    return { isElsewhere: chosen !== access, choose };
  }, [access, chosen, place]);
  return <Viewer key={`${chosen.project} ${chosen.organization}`} access={chosen} place={inner} mode="console" bar={BAR} organizations={organizations} onLeave={onLeave} onEnd={onEnd} />;
}

/** An address without the choice of an organization. */
export function withoutChoice(place: Place): string {
  return keeping(place, CHOICE).read();
}

/** `access` to the organization that was chosen; the server decides whether it may. A viewer token is for one. */
function chosenAccess(access: Access, choice: URLSearchParams): Access {
  const organization = choice.get("organization");
  const project = choice.get("project") ?? access.project;
  if (access.kind === "token" || organization === null || organization === "") return access;
  return organization === access.organization && project === access.project ? access : { ...access, organization, project };
}

function addressOf(organization: string | null, project: string | null): string {
  const search = new URLSearchParams();
  if (organization !== null) search.set("organization", organization);
  if (project !== null) search.set("project", project);
  return organization === null ? "" : `?${search}`;
}
