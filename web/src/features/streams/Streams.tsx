import { useQuery } from "@tanstack/react-query";
import { useScreen } from "../../screen";
import { NotYours } from "../../ui/NotYours";
import { Ready } from "../../ui/Ready";
import { useTitle } from "../../ui/useTitle";
import { StreamForm } from "./StreamForm";
import { StreamList } from "./StreamList";
import { useStreams } from "./useStreams";
import { say } from "./words";
import "../../styles/records.css";
import "../../styles/deliveries.css";

/** Deliveries to other systems, for who may administer and take files: all of them, or the form of one. */
export default function Streams({ id }: { id: string | null }) {
  const { policy } = useScreen();
  useTitle(say("title"));
  if (!policy.rights.administer || !policy.rights.export) return <NotYours title={say("title")} reason={say("not_yours")} />;
  if (id === null) return <StreamList />;
  return id === "new" ? <StreamForm of={null} /> : <Change key={id} id={id} />;
}

/** The form of a stream, once it is read with its version. */
function Change({ id }: { id: string }) {
  const { streams, owner } = useStreams();
  // Read anew for every form, and never under somebody who types.
  const read = useQuery({ queryKey: ["stream", owner, id], queryFn: ({ signal }) => streams.get(id, signal), staleTime: 0, gcTime: 0, refetchOnReconnect: false });
  if (read.data === undefined) {
    return (
      <main className="page">
        <Ready of={read}>{() => null}</Ready>
      </main>
    );
  }
  return <StreamForm of={read.data} />;
}
