import { useState } from "react";
import { downloadPath, type Export } from "../../api/exports";
import { clip } from "../../event/words";
import { customRange, rangeLabel } from "../../query/range";
import { useScreen } from "../../screen";
import { Confirm } from "../../ui/Confirm";
import { Link } from "../../ui/Link";
import { NotYours } from "../../ui/NotYours";
import { Ready } from "../../ui/Ready";
import { ago, fullTime } from "../../ui/time";
import { useDeed } from "../../ui/useDeed";
import { useNow } from "../../ui/useNow";
import { useTitle } from "../../ui/useTitle";
import { useZone } from "../../ui/useZone";
import { number, wordsOf } from "../../ui/words";
import { isUnderWay } from "./job";
import { sizeWords } from "./size";
import { useJobs } from "./useJobs";
import en from "./jobs.en.json";
import "../../styles/records.css";
import "../../styles/exports.css";

const say = wordsOf({ en });

/** The files that somebody has asked for: how far they are, and the files themselves as long as they are kept. */
export default function Exports() {
  const { policy } = useScreen();
  useTitle(say("title"));
  return policy.rights.export ? <Own /> : <NotYours title={say("title")} reason={say("not_yours")} />;
}

function Own() {
  const { read, ready, remove } = useJobs();
  const [dropping, setDropping] = useState<Export | null>(null);
  const { run, isPending, reason } = useDeed();
  const cancel = ({ id }: Export) => void run(() => remove(id)).catch(() => undefined);
  return (
    <main className="page">
      <div className="title">
        <h1>{say("title")}</h1>
      </div>
      <p className="about">{say("about")}</p>
      <p role="status" className="unseen">
        {ready.length > 0 && say("now_ready", { files: ready.map((job) => say(job.format)).join(", ") })}
      </p>
      {reason !== null && (
        <p className="notice" role="alert">
          {reason}
        </p>
      )}
      <Ready of={read}>{(jobs) => (jobs.length === 0 ? <None /> : <Jobs jobs={jobs} isBusy={isPending} onCancel={cancel} onDrop={setDropping} />)}</Ready>
      {dropping !== null && (
        <Confirm title={say("drop_title")} button={say("drop")} onConfirm={() => remove(dropping.id)} onClose={() => setDropping(null)}>
          {say("drop_what")}
        </Confirm>
      )}
    </main>
  );
}

function None() {
  return <p className="muted">{say.nodes("none", { activity: <Link to="/">{say("activity")}</Link> })}</p>;
}

interface JobsProps {
  jobs: Export[];
  isBusy: boolean;
  onCancel: (job: Export) => void;
  onDrop: (job: Export) => void;
}

function Jobs({ jobs, ...deeds }: JobsProps) {
  return (
    <table className="records exports">
      <thead>
        <tr>
          {(["file", "state", "rows", "size", "asked", "kept_until"] as const).map((name) => (
            <th key={name} scope="col">
              {say(name)}
            </th>
          ))}
          <th scope="col">
            <span className="unseen">{say("deeds")}</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {jobs.map((job) => (
          <Job key={job.id} job={job} {...deeds} />
        ))}
      </tbody>
    </table>
  );
}

function Job({ job, isBusy, onCancel, onDrop }: Omit<JobsProps, "jobs"> & { job: Export }) {
  const { access } = useScreen();
  const zone = useZone();
  const now = useNow();
  return (
    <tr>
      <th scope="row">
        <span className="lines">
          <span>{say(job.format)}</span>
          <Of job={job} />
        </span>
      </th>
      <td data-name={say("state")}>
        <State job={job} />
      </td>
      <Value name="rows" value={job.rows > 0 || job.state === "ready" ? number(job.rows) : null} />
      <Value name="size" value={job.bytes > 0 ? sizeWords(job.bytes) : null} />
      <td data-name={say("asked")}>
        <span className="lines">
          <time dateTime={job.created_at} title={fullTime(job.created_at, zone)}>
            {ago(job.created_at, now, zone)}
          </time>
          {access.kind === "key" && <bdi className="muted">{job.requested_by.name ?? job.requested_by.id}</bdi>}
        </span>
      </td>
      <Value name="kept_until" value={job.state === "ready" && job.expires_at !== null ? zone.format(new Date(job.expires_at), UNTIL) : null} />
      <td className="row-end">
        <Deeds job={job} isBusy={isBusy} onCancel={onCancel} onDrop={onDrop} />
      </td>
    </tr>
  );
}

function Value({ name, value }: { name: "rows" | "size" | "kept_until"; value: string | null }) {
  return (
    <td data-name={say(name)} data-empty={value === null} className="number">
      {value ?? "–"}
    </td>
  );
}

const UNTIL = { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" } as const;

/** Of which events a file is. */
function Of({ job: { scope, filter, from, to } }: { job: Export }) {
  const { policy } = useScreen();
  const zone = useZone();
  if (scope === "all") return <span className="muted">{say("of_all")}</span>;
  return (
    <>
      {filter !== "" && <bdi className="mono muted">{clip(filter)}</bdi>}
      {(from !== null || to !== null) && <span className="muted">{rangeLabel(customRange(from ?? "", to ?? ""), zone, policy)}</span>}
    </>
  );
}

/** How far it is, why there is no file, and what is not in the file. */
function State({ job }: { job: Export }) {
  return (
    <span className="lines">
      <span>
        <span className="badge plain" data-state={job.state}>
          {say(`state_${job.state}`)}
        </span>
      </span>
      {job.state === "running" && <progress aria-label={say("progress")} value={job.progress} />}
      {job.email && isUnderWay(job) && <span className="muted">{say("mailed")}</span>}
      {job.error !== null && <span className="export-fault">{clip(job.error)}</span>}
      {job.warnings.map(({ code, detail }) => (
        <span key={code} className="muted">
          {detail}
        </span>
      ))}
    </span>
  );
}

function Deeds({ job, isBusy, onCancel, onDrop }: Omit<JobsProps, "jobs"> & { job: Export }) {
  const { client } = useScreen();
  const file = say(job.format);
  if (isUnderWay(job)) {
    return (
      <button type="button" className="button small" disabled={isBusy} aria-label={say("cancel_which", { file })} onClick={() => onCancel(job)}>
        {say("cancel")}
      </button>
    );
  }
  if (job.state !== "ready") return null;
  return (
    <span className="row-deeds">
      {job.download_url !== null && (
        <a className="button small primary" href={client.serverAddress() + downloadPath(job.download_url)} download="" aria-label={say("download_which", { file })}>
          {say("download")}
        </a>
      )}
      <button type="button" className="button small" aria-label={say("drop_which", { file })} onClick={() => onDrop(job)}>
        {say("drop")}
      </button>
    </span>
  );
}
