import { useQuery } from "@tanstack/react-query";
import { useScreen } from "../../screen";

/** What the ledger is signed with and how far it has grown. */
export default function Integrity() {
  const { client } = useScreen();
  const key = useQuery({ queryKey: ["checkpoint-key"], queryFn: ({ signal }) => client.checkpointKey(signal) });
  return (
    <main className="page">
      <h1>Integrity</h1>
      {key.data !== undefined && <p className="mono">{key.data.vkey}</p>}
    </main>
  );
}
