import { useQuery } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import type { View } from "../../api/views";
import type { Address } from "../../query/address";
import { printRoute } from "../../route";
import { useScreen } from "../../screen";
import { Link } from "../../ui/Link";
import { wordsOf } from "../../ui/words";
import { useRevise } from "./useRevise";
import { useViews } from "./useView";
import { addressOf, isChanged, keptOf } from "./view";
import en from "./words.en.json";

const say = wordsOf({ en });

interface Props {
  address: Address;
  /** The one that the list was opened from. */
  open: View | null;
  onAddress: (change: Partial<Address>) => void;
  /** Asks for the dialog about a view, or about a new one. */
  onDialog: (about: View | null) => void;
}

/** One's own views and the shared ones, and what can be done with them. */
export default function ViewsMenu({ address, open, onAddress, onDialog }: Props) {
  const views = useViews();
  const revise = useRevise();
  const { policy, mode } = useScreen();
  const [reason, setReason] = useState<string | null>(null);
  const list = useQuery({ queryKey: ["views"], queryFn: ({ signal }) => views.list(signal) });
  const mayChange = (view: View) => view.is_own || policy.rights.administer;
  const own = list.data?.filter((view) => view.is_own) ?? [];
  const others = list.data?.filter((view) => !view.is_own) ?? [];

  async function keep(view: View) {
    try {
      await revise(view.id, keptOf(address));
      onAddress({ view: view.id });
    } catch (failure) {
      setReason(failure instanceof Error ? failure.message : String(failure));
    }
  }
  const row = (view: View) => (
    <li key={view.id} className="view">
      <button type="button" className="menu-item" aria-current={view.id === address.view} onClick={() => onAddress(addressOf(view))}>
        <span className="view-name">
          <bdi className="line">{view.name}</bdi>
          <span className="muted line">{view.is_own ? say(view.shared ? "shared" : "private") : say.nodes("of", { name: <bdi>{view.owner.name ?? view.owner.id}</bdi> })}</span>
        </span>
      </button>
      {mayChange(view) && (
        <button type="button" className="button small ghost" aria-label={say("change_which", { name: view.name })} onClick={() => onDialog(view)}>
          {say("change")}
        </button>
      )}
    </li>
  );
  return (
    <div className="views">
      {own.length > 0 && <Group title={say("own")}>{own.map(row)}</Group>}
      {others.length > 0 && <Group title={say("of_others")}>{others.map(row)}</Group>}
      <p className="muted" role="status">
        {list.isPending ? say("loading") : list.data?.length === 0 ? say("none") : ""}
      </p>
      {(reason ?? list.error?.message) && (
        <p className="notice" role="alert">
          {reason ?? list.error?.message}
        </p>
      )}
      <div className="views-end">
        {open !== null && mayChange(open) && isChanged(open, address) && (
          <button type="button" className="menu-item" onClick={() => void keep(open)}>
            <span className="line">{say.nodes("keep", { name: <bdi>{open.name}</bdi> })}</span>
          </button>
        )}
        {open !== null && isChanged(open, address) && (
          <button type="button" className="menu-item" onClick={() => onAddress(addressOf(open))}>
            <span className="line">{say.nodes("back_to", { name: <bdi>{open.name}</bdi> })}</span>
          </button>
        )}
        <button type="button" className="menu-item" onClick={() => onDialog(null)}>
          {say("save_as")}
        </button>
        {mode === "console" && policy.rights.administer && policy.rights.export && (
          <Link to={`${printRoute({ screen: "alerts", id: "new" })}?${new URLSearchParams({ q: address.query.trim() })}`} className="menu-item">
            {say("alert_of")}
          </Link>
        )}
      </div>
    </div>
  );
}

function Group({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section aria-label={title}>
      <h3>{title}</h3>
      <ul>{children}</ul>
    </section>
  );
}
