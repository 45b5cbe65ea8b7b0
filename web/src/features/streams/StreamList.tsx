import { useState } from "react";
import type { Stream } from "../../api/streams";
import { useScreen } from "../../screen";
import { Confirm } from "../../ui/Confirm";
import { Link } from "../../ui/Link";
import { Ready } from "../../ui/Ready";
import { Parked } from "./Parked";
import { ReplayDialog } from "./ReplayDialog";
import { StreamCard } from "./StreamCard";
import { useStreamList, useStreams, type Owner } from "./useStreams";
import { say } from "./words";

export type Ask = "replay" | "parked" | "delete";
type Open = { ask: Ask; stream: Stream } | null;

const OWNERS: readonly Owner[] = ["organization", "project"];

/** All streams with how they do, the worst first. */
export function StreamList() {
  const { access } = useScreen();
  const { streams, owner, maySeeProject, pathTo, again } = useStreams();
  const list = useStreamList();
  const [open, setOpen] = useState<Open>(null);
  const close = () => setOpen(null);
  const remove = async ({ id }: Stream) => {
    await streams.remove(id);
    await again();
  };
  return (
    <main className="page delivery-list">
      <div className="title">
        <h1>{say("title")}</h1>
        <div className="title-end">
          <Link to={pathTo("new")} className="button primary">
            {say("new")}
          </Link>
        </div>
      </div>
      <p className="about">{say("about")}</p>
      {maySeeProject && (
        <nav className="owners" aria-label={say("of")}>
          {OWNERS.map((each) => (
            <Link key={each} to={pathTo(null, each)} aria-current={each === owner ? "page" : undefined}>
              {each === "organization" ? say.nodes("of_organization", { organization: <bdi>{access.organization}</bdi> }) : say("of_project")}
            </Link>
          ))}
        </nav>
      )}
      <Ready of={list}>
        {(all) =>
          all.length === 0 ? (
            <div className="none">
              <strong>{say("none")}</strong>
              <p>{say("none_about")}</p>
            </div>
          ) : (
            <ul className="deliveries">
              {[...all].sort(byNeed).map((stream) => (
                <StreamCard key={stream.id} stream={stream} onAsk={(ask) => setOpen({ ask, stream })} />
              ))}
            </ul>
          )
        }
      </Ready>
      {open?.ask === "replay" && <ReplayDialog stream={open.stream} onClose={close} />}
      {open?.ask === "parked" && <Parked stream={open.stream} onClose={close} />}
      {open?.ask === "delete" && (
        <Confirm title={say.nodes("delete_which", { name: <bdi>{open.stream.name}</bdi> })} button={say("delete_stream")} onConfirm={() => remove(open.stream)} onClose={close}>
          {say("delete_what")}
        </Confirm>
      )}
    </main>
  );
}

const NEED: readonly Stream["state"][] = ["failing", "active", "paused"];

/** Those that fail come first, then those that run; within, by name. */
function byNeed(left: Stream, right: Stream): number {
  return NEED.indexOf(left.state) - NEED.indexOf(right.state) || left.name.localeCompare(right.name);
}
