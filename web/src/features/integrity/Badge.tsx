import { printRoute } from "../../route";
import { useScreen } from "../../screen";
import { Tick, Warning } from "../../ui/icons";
import { Link } from "../../ui/Link";
import { Popover } from "../../ui/Popover";
import { useZone } from "../../ui/useZone";
import { wordsOf } from "../../ui/words";
import { explain, titleOf } from "./explain";
import { useLedger, type Look } from "./useLedger";
import en from "./words.en.json";

const say = wordsOf({ en });

/** Whether the ledger is what it was: its signed checkpoint, judged in this browser. `size` is what the list knows of it until then. */
export default function Badge({ size }: { size: number }) {
  const looked = useLedger();
  const state = looked.data?.finding.kind ?? (looked.isLoading ? "pending" : "unknown");
  return (
    <span className="integrity-badge" data-state={state}>
      <Popover label={<Label look={looked.data} size={size} isLoading={looked.isLoading} />} className="integrity-button number" boxClassName="integrity-box">
        {() => <Box look={looked.data} reason={looked.error?.message ?? null} />}
      </Popover>
    </span>
  );
}

function Label({ look, size, isLoading }: { look: Look | undefined; size: number; isLoading: boolean }) {
  if (look === undefined) return say(isLoading ? "checking_size" : "badge_unknown", { count: size });
  const { finding } = look;
  if (finding.kind === "failed") {
    return (
      <>
        <Warning /> {say("badge_failed")}
      </>
    );
  }
  return (
    <>
      {finding.kind === "verified" && <Tick />} {say(`badge_${finding.kind === "limited" ? finding.reason : finding.kind}`, { count: finding.checkpoint.size })}
    </>
  );
}

function Box({ look, reason }: { look: Look | undefined; reason: string | null }) {
  const { mode } = useScreen();
  const zone = useZone();
  return (
    <>
      <p>
        <b>{look === undefined ? say("unknown") : titleOf(look)}.</b> {explain(look, reason, zone)}
      </p>
      {look !== undefined && <p className="muted">{say("computed")}</p>}
      {mode === "console" && <Link to={printRoute({ screen: "integrity" })}>{say("more")}</Link>}
    </>
  );
}
