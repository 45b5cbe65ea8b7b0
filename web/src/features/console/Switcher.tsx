import { useQuery } from "@tanstack/react-query";
import { useMemo, useState, type KeyboardEvent } from "react";
import { createAdministration, type Administration, type ListedOrganization } from "../../api/administration";
import { isOfDeployment } from "../../api/client";
import { useScreen } from "../../screen";
import { number, wordsOf } from "../../ui/words";
import en from "./switcher.en.json";
import "../../styles/switcher.css";

const say = wordsOf({ en });

/** Names that are drawn at once; typing narrows the rest. */
const SHOWN_MAX = 100;
/** Pages of names that are asked for; whoever has more types the name. */
const PAGES_MAX = 20;
/** Has what is done to projects and by keys. */
const SYSTEM = "_system";

/** The organizations that somebody may go to: a list to search, by project where there are several. */
export default function Switcher({ close }: { close: () => void }) {
  const { client, access, organizations: going } = useScreen();
  const administration = useMemo(() => createAdministration(client.transport, access), [client, access]);
  const [project, setProject] = useState(access.project);
  const [wanted, setWanted] = useState("");
  const projects = useQuery({ queryKey: ["projects"], queryFn: ({ signal }) => administration.projects(signal), enabled: isOfDeployment(access), retry: false });
  const all = useQuery({ queryKey: ["organizations", project], queryFn: ({ signal }) => allOf(administration, project, signal) });
  const typed = wanted.trim();
  const found = (all.data ?? []).filter(({ name }) => name.toLowerCase().includes(typed.toLowerCase()));
  const isNew = typed !== "" && all.data?.every(({ name }) => name !== typed) !== false;
  const go = (organization: string) => {
    close();
    going?.choose(organization, project);
  };
  return (
    <div className="switcher" onKeyDown={move}>
      {projects.data !== undefined && projects.data.length > 1 && (
        <label className="switcher-project">
          {say("project")}
          <select className="input" value={project ?? "default"} onChange={(event) => setProject(event.currentTarget.value)}>
            {projects.data.map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
        </label>
      )}
      <input className="input" type="search" autoFocus aria-label={say("find")} placeholder={say("find")} value={wanted} onChange={(event) => setWanted(event.currentTarget.value)} />
      <ul className="menu" aria-label={say("organizations")}>
        {found.slice(0, SHOWN_MAX).map(({ name, size }) => (
          <li key={name}>
            <button type="button" className="menu-item" aria-current={name === access.organization && project === access.project} onClick={() => go(name)}>
              <bdi className="line">{name}</bdi>
              <span className="muted number">{number(size)}</span>
            </button>
          </li>
        ))}
        {isNew && (
          <li>
            <button type="button" className="menu-item" onClick={() => go(typed)}>
              <span className="line">{say.nodes("open", { name: <bdi>{typed}</bdi> })}</span>
            </button>
          </li>
        )}
        {isOfDeployment(access) && typed === "" && (
          <li>
            <button type="button" className="menu-item" aria-current={access.organization === SYSTEM} onClick={() => go(SYSTEM)}>
              {say("own_acts")}
            </button>
          </li>
        )}
      </ul>
      <p className="muted" role="status">
        {all.isPending ? say("loading") : all.error !== null ? all.error.message : found.length > SHOWN_MAX ? say("more", { count: found.length - SHOWN_MAX }) : ""}
      </p>
    </div>
  );
}

async function allOf(administration: Administration, project: string | null, signal: AbortSignal): Promise<ListedOrganization[]> {
  const all: ListedOrganization[] = [];
  let after: string | null = null;
  for (let page = 0; page < PAGES_MAX; page++) {
    const { organizations, next }: Awaited<ReturnType<Administration["organizations"]>> = await administration.organizations(project, after, signal);
    all.push(...organizations);
    if (next === null) break;
    after = next;
  }
  return all;
}

/** Arrows move through the field and the names below it; Enter in the field opens the first. */
function move(event: KeyboardEvent<HTMLElement>): void {
  const places = [...event.currentTarget.querySelectorAll<HTMLElement>("input, button")];
  const at = places.indexOf(event.nativeEvent.composedPath()[0] as HTMLElement);
  const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
  if (step !== 0 && at >= 0) {
    event.preventDefault();
    places[Math.min(Math.max(at + step, 0), places.length - 1)]?.focus();
  } else if (event.key === "Enter" && at === 0) {
    event.preventDefault();
    places[1]?.click();
  }
}
