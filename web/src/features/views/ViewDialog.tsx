import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { View } from "../../api/views";
import type { Address } from "../../query/address";
import { Confirm } from "../../ui/Confirm";
import { Dialog } from "../../ui/Dialog";
import { Field, Form, Tickbox, type Typed } from "../../ui/Form";
import { wordsOf } from "../../ui/words";
import { useRevise } from "./useRevise";
import { useViews } from "./useView";
import { keptOf, meant } from "./view";
import en from "./words.en.json";

const say = wordsOf({ en });

interface Props {
  /** The view to change; null saves what is on the screen as a new one. */
  view: View | null;
  address: Address;
  onAddress: (change: Partial<Address>) => void;
  onClose: () => void;
}

/** A view's name and who sees it; a new one keeps what is on the screen. */
export default function ViewDialog({ view, address, onAddress, onClose }: Props) {
  const views = useViews();
  const queries = useQueryClient();
  const revise = useRevise();
  const [isDeleting, setDeleting] = useState(false);
  async function save(typed: Typed) {
    const said = { name: typed("name") ?? "", shared: typed("shared") !== undefined };
    await (view === null ? add(said) : revise(view.id, meant(view, said)));
    onClose();
  }
  async function add(said: Pick<View, "name" | "shared">) {
    const saved = await views.save({ ...said, ...keptOf(address) });
    queries.setQueryData(["view", saved.id], saved);
    await queries.invalidateQueries({ queryKey: ["views"] });
    onAddress({ view: saved.id });
  }
  async function remove(gone: View) {
    await views.remove(gone.id);
    await queries.invalidateQueries({ queryKey: ["views"] });
    queries.removeQueries({ queryKey: ["view", gone.id] });
    if (address.view === gone.id) onAddress({ view: null });
  }
  if (view !== null && isDeleting) {
    return (
      <Confirm title={say.nodes("delete_which", { name: <bdi>{view.name}</bdi> })} button={say("delete_view")} onConfirm={() => remove(view)} onClose={onClose}>
        {say(view.shared ? "delete_shared" : "delete_private")}
      </Confirm>
    );
  }
  const removing = view !== null && (
    <button type="button" className="button danger" onClick={() => setDeleting(true)}>
      {say("delete")}
    </button>
  );
  return (
    <Dialog title={view === null ? say("save_title") : <bdi>{view.name}</bdi>} onClose={onClose}>
      <Form button={say("save")} sending={say("saving")} onSend={save} others={removing}>
        <Field label={say("name")} name="name" required autoFocus autoComplete="off" defaultValue={view?.name ?? ""} {...(view === null ? { hint: say("save_about") } : {})} />
        <Tickbox name="shared" label={say("share")} defaultChecked={view?.shared ?? false} />
      </Form>
    </Dialog>
  );
}
