import { useState } from "react";
import type { Filters } from "../../api/contract";
import { useLabels } from "../../event/labels";
import type { Address } from "../../query/address";
import { useScreen } from "../../screen";
import { Dialog } from "../../ui/Dialog";
import { Cross } from "../../ui/icons";
import { wordsOf } from "../../ui/words";
import { Choice } from "./Choice";
import { usualColumns, type Wish } from "./file";
import { Mailed, Result, Running, runWords } from "./Progress";
import { useExport } from "./useExport";
import button from "./button.en.json";
import en from "./words.en.json";

const say = wordsOf({ en });
const sayOfButton = wordsOf({ en: button });

interface Props {
  address: Address;
  filters: Filters;
  columns: readonly string[] | null;
  size: number | null;
  now: Date;
  /** What the dialog is about; null while it is closed. */
  asked: "all" | "filtered" | null;
  onAsk: (asked: "all" | "filtered" | null) => void;
}

/** The dialog of an export; an export that runs on without it is told of beside the button. */
export default function Export({ address, filters, columns, size, now, asked, onAsk }: Props) {
  const { policy } = useScreen();
  const labels = useLabels();
  const { run, start, cancel, forget } = useExport();
  const [rows, setRows] = useState<number | null>(null);
  // What was wished for last is offered again after a failure.
  const [wish, setWish] = useState<Wish | null>(null);
  const shown = { filters, columns: columns ?? usualColumns(policy) };
  const close = () => {
    onAsk(null);
    setWish(null);
    if (run.kind !== "running") forget();
  };
  if (asked === null) {
    if (run.kind === "none" || run.kind === "mailed") return <span role="status" />;
    return (
      <span className="export-state number" role="status">
        {runWords(run, rows)}
        <button type="button" className="icon-button" aria-label={say(run.kind === "running" ? "stop" : "close")} onClick={cancel}>
          <Cross />
        </button>
      </span>
    );
  }
  const send = (wanted: Wish, counted: number | null) => {
    setRows(counted);
    setWish(wanted);
    start(wanted, shown);
  };
  const title = asked === "all" ? labels.screen("export_all", sayOfButton("all")) : labels.screen("export_filtered", sayOfButton("filtered"));
  return (
    <Dialog title={title} onClose={close}>
      {run.kind === "none" && <Choice asked={asked} first={wish} address={address} shown={shown} size={size} now={now} onSend={send} onClose={close} />}
      {run.kind === "running" && <Running run={run} rows={rows} onStop={cancel} onGoOn={close} />}
      {run.kind === "mailed" && <Mailed onClose={close} />}
      {(run.kind === "done" || run.kind === "failed") && <Result run={run} onAgain={forget} onClose={close} />}
    </Dialog>
  );
}
