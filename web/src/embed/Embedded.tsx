import { useCallback, useEffect, useMemo, useState, useSyncExternalStore, type ReactNode } from "react";
import type { KeyAccess } from "../api/client";
import type { Place } from "../ui/place";
import { wordsOf } from "../ui/words";
import { Viewer } from "../Viewer";
import type { Tokens } from "./tokens";
import en from "./words.en.json";

const say = wordsOf({ en });

/** What the page around says of the viewer, beside the token. */
export interface Settings {
  server: string;
  organization: string;
  /** Null is the project that the token is of. */
  project: string | null;
  /** Null is the organization's zone. */
  timeZone: string | null;
  checkpointKey: string | null;
}

interface Props {
  settings: Settings;
  tokens: Tokens;
  place: Place;
}

/** The viewer for as long as the page around gives tokens for it; in between, what is the matter. */
export function Embedded({ settings: { server, organization, project, timeZone, checkpointKey }, tokens, place }: Props) {
  const token = useSyncExternalStore(tokens.subscribe, tokens.now);
  const [isOver, setOver] = useState(false);
  useEffect(() => setOver(false), [token]);
  useEffect(() => {
    if (token === null && !isOver) void tokens.renew().then(() => setOver(tokens.now() === null));
  }, [tokens, token, isOver]);
  const end = useCallback(() => setOver(true), []);
  // The key is not read from here: `tokens.send` puts the one of the moment into every call.
  const access = useMemo<KeyAccess>(() => ({ kind: "token", organization, project, key: "" }), [organization, project]);

  if (organization === "") return <Notice>{say("no_organization")}</Notice>;
  if (isOver) {
    return (
      <Notice>
        {say("over")}
        <button type="button" className="button" onClick={() => setOver(false)}>
          {say("again")}
        </button>
      </Notice>
    );
  }
  if (token === null) return <Waiting />;
  return (
    <Viewer
      key={`${server} ${organization} ${project}`}
      access={access}
      place={place}
      mode="embedded"
      server={server}
      send={tokens.send}
      timeZone={timeZone}
      checkpointKey={checkpointKey}
      onLeave={stay}
      onEnd={end}
    />
  );
}

/** Nobody signs out of a part of another product's page. */
async function stay(): Promise<void> {}

function Waiting() {
  return (
    <Frame>
      <main className="page muted" role="status">
        {say("waiting")}
      </main>
    </Frame>
  );
}

function Notice({ children }: { children: ReactNode }) {
  return (
    <Frame>
      <main className="page">
        <div className="state" role="alert">
          {children}
        </div>
      </main>
    </Frame>
  );
}

function Frame({ children }: { children: ReactNode }) {
  return (
    <div className="trailbook" data-mode="embedded">
      {children}
    </div>
  );
}
