import { toBase64 } from "../../proof/bytes";
import { useScreen } from "../../screen";
import { CopyButton } from "../../ui/CopyButton";
import { download, fileName } from "../../ui/download";
import { fullTime } from "../../ui/time";
import { useZone } from "../../ui/useZone";
import { wordsOf } from "../../ui/words";
import { Card } from "./Integrity";
import type { Look } from "./useLedger";
import en from "./words.en.json";

const say = wordsOf({ en });

/** The head of the ledger as it was signed. A checkpoint carries no time: what is known is when it came. */
export function CheckpointCard({ look: { finding, note, at } }: { look: Look }) {
  const { access } = useScreen();
  const zone = useZone();
  const { checkpoint } = finding;
  if (checkpoint === null) return null;
  const root = toBase64(checkpoint.root);
  return (
    <Card title={say("checkpoint")}>
      <dl>
        <dt>{say("origin")}</dt>
        <dd className="mono">
          <bdi>{checkpoint.origin}</bdi>
        </dd>
        <dt>{say("size")}</dt>
        <dd className="number">{say("events", { count: checkpoint.size })}</dd>
        <dt>{say("root")}</dt>
        <dd className="copied">
          <span className="mono">{root}</span>
          <CopyButton text={() => root} label={say("copy_root")} />
        </dd>
        <dt>{say("received")}</dt>
        <dd className="number">{fullTime(new Date(at).toISOString(), zone)}</dd>
      </dl>
      <button type="button" className="link-button" onClick={() => download(new Blob([note], { type: "text/plain" }), fileName(["checkpoint", access.organization, String(checkpoint.size)], "txt"))}>
        {say("download")}
      </button>
    </Card>
  );
}
