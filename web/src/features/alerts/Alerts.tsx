import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Alert } from "../../api/alerts";
import { useScreen } from "../../screen";
import { Confirm } from "../../ui/Confirm";
import { Link } from "../../ui/Link";
import { NotYours } from "../../ui/NotYours";
import { usePlace } from "../../ui/place";
import { Ready } from "../../ui/Ready";
import { useTitle } from "../../ui/useTitle";
import { AlertCard } from "./AlertCard";
import { AlertForm } from "./AlertForm";
import { pathTo, useAlertList, useAlerts } from "./useAlerts";
import { say } from "./words";
import "../../styles/records.css";
import "../../styles/deliveries.css";

/** Queries that tell somebody when events match, for who may administer and take files: all of them, or the form of one. */
export default function Alerts({ id }: { id: string | null }) {
  const { policy } = useScreen();
  const { search } = usePlace();
  useTitle(say("title"));
  if (!policy.rights.administer || !policy.rights.export) return <NotYours title={say("title")} reason={say("not_yours")} />;
  if (id === null) return <List />;
  // A query that was looked at may come along.
  return id === "new" ? <AlertForm of={null} query={new URLSearchParams(search).get("q") ?? ""} /> : <Change key={id} id={id} />;
}

/** The form of an alert, once it is read with its version. */
function Change({ id }: { id: string }) {
  const { alerts } = useAlerts();
  // Read anew for every form, and never under somebody who types.
  const read = useQuery({ queryKey: ["alert", id], queryFn: ({ signal }) => alerts.get(id, signal), staleTime: 0, gcTime: 0, refetchOnReconnect: false });
  if (read.data === undefined) {
    return (
      <main className="page">
        <Ready of={read}>{() => null}</Ready>
      </main>
    );
  }
  return <AlertForm of={read.data} query={read.data.value.filter} />;
}

function List() {
  const { alerts, again } = useAlerts();
  const list = useAlertList();
  const [deleting, setDeleting] = useState<Alert | null>(null);
  const remove = async ({ id }: Alert) => {
    await alerts.remove(id);
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
      <Ready of={list}>
        {(all) =>
          all.length === 0 ? (
            <div className="none">
              <strong>{say("none")}</strong>
              <p>{say("none_about")}</p>
            </div>
          ) : (
            <ul className="deliveries">
              {all.map((alert) => (
                <AlertCard key={alert.id} alert={alert} onDelete={() => setDeleting(alert)} />
              ))}
            </ul>
          )
        }
      </Ready>
      {deleting !== null && (
        <Confirm title={say.nodes("delete_which", { name: <bdi>{deleting.name}</bdi> })} button={say("delete_alert")} onConfirm={() => remove(deleting)} onClose={() => setDeleting(null)}>
          {say("delete_what")}
        </Confirm>
      )}
    </main>
  );
}
