import { useState } from "react";
import type { Client } from "../../api/client";
import type { Filters } from "../../api/contract";
import { download, fileName } from "../../ui/download";
import { useZone } from "../../ui/useZone";

type Export = { kind: "idle" } | { kind: "running" } | { kind: "failed"; reason: string };

/** Downloads all events of the current query as CSV. The key goes in a header, so that it is in no link. */
export function CsvButton({ client, organization, filters, isDisabled }: { client: Client; organization: string; filters: Filters; isDisabled: boolean }) {
  const zone = useZone();
  const [csv, setCsv] = useState<Export>({ kind: "idle" });
  const run = async () => {
    setCsv({ kind: "running" });
    try {
      download(await client.csv(filters), fileName(["trailbook", organization, zone.dayOf(new Date())], "csv"));
      setCsv({ kind: "idle" });
    } catch (problem) {
      setCsv({ kind: "failed", reason: problem instanceof Error ? problem.message : "the download broke off" });
    }
  };
  return (
    <>
      <button type="button" className="button primary" disabled={isDisabled || csv.kind === "running"} onClick={run}>
        {csv.kind === "running" ? "Exporting…" : "Export CSV"}
      </button>
      {csv.kind === "failed" && (
        <span className="notice" role="alert">
          The export failed: {csv.reason}
        </span>
      )}
    </>
  );
}
