import { useMemo, useState } from "react";
import type { CatalogAction } from "../../api/contract";
import { printAddress, parseAddress } from "../../query/address";
import { useScreen } from "../../screen";
import { useLabels } from "../../event/labels";
import { Link } from "../../ui/Link";
import { SecurityBadge } from "../../ui/marks";
import { Part } from "./Part";
import { say } from "./words";

/** What can be recorded: the catalog's actions by area, each with what it means and the way to its events. */
export function Catalog() {
  const { policy } = useScreen();
  const [wanted, setWanted] = useState("");
  const found = useMemo(() => policy.actions.filter((action) => matches(action, wanted)), [policy.actions, wanted]);
  const areas = useMemo(() => [...new Set(found.map((action) => action.area))], [found]);
  const named = (area: string | null) => policy.areas.find((each) => each.id === area);
  return (
    <Part title={say("catalog")} about={say("catalog_about")}>
      {policy.actions.length === 0 ? (
        <p className="muted">{say("no_catalog")}</p>
      ) : (
        <>
          <div className="catalog-search">
            <input className="input" type="search" aria-label={say("find_action")} placeholder={say("find_action")} value={wanted} onChange={(event) => setWanted(event.currentTarget.value)} />
            <span className="muted number" role="status">
              {say("actions", { count: found.length })}
            </span>
          </div>
          {areas.map((area) => (
            <section key={area ?? ""} className="catalog-area" aria-label={named(area)?.label ?? area ?? say("no_area")}>
              <h3>
                <bdi>{named(area)?.label ?? area ?? say("no_area")}</bdi>
              </h3>
              <ul className="catalog-actions">
                {found.filter((action) => action.area === area).map((action) => (
                  <Action key={action.id} action={action} />
                ))}
              </ul>
            </section>
          ))}
        </>
      )}
    </Part>
  );
}

function Action({ action }: { action: CatalogAction }) {
  const labels = useLabels();
  const events = `/${printAddress({ ...parseAddress(""), query: `action:${action.id}` })}`;
  return (
    <li>
      <div className="catalog-action">
        <Link to={events}>
          <bdi>{action.label}</bdi>
        </Link>
        {action.action_type !== null && (
          <span className="type" data-type={action.action_type}>
            {labels.value("action_type", action.action_type)}
          </span>
        )}
        {action.security && <SecurityBadge />}
      </div>
      <div className="muted">
        <bdi className="mono">{action.id}</bdi>
        {action.product !== null && <bdi> · {action.product}</bdi>}
      </div>
      {action.why !== null && <p className="muted">{action.why}</p>}
    </li>
  );
}

function matches({ id, label, name, product, area }: CatalogAction, wanted: string): boolean {
  const text = [id, label, name, product, area].join(" ").toLowerCase();
  return wanted
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}
