// What a saved view and the address of the list have to do with each other.
import type { NewView, View } from "../../api/views";
import type { Address } from "../../query/address";
import { parseRange, printRange } from "../../query/range";

/** What of an address a view keeps. */
export type Kept = Pick<NewView, "filter" | "range" | "columns">;

export function keptOf({ query, range, columns }: Address): Kept {
  return { filter: query.trim(), range: range === null ? null : printRange(range), columns };
}

/** A view as it is written back, with this of it changed. */
export function revised({ name, shared, filter, range, columns }: View, change: Partial<NewView>): NewView {
  return { name, shared, filter, range, columns, ...change };
}

/** What of a view's name and who sees it somebody has changed who had seen it so; only that was meant. */
export function meant(seen: View, said: Pick<NewView, "name" | "shared">): Partial<NewView> {
  return { ...(said.name === seen.name ? {} : { name: said.name }), ...(said.shared === seen.shared ? {} : { shared: said.shared }) };
}

/** The address of a view's list; what is open in the panel belongs to the list before. */
export function addressOf(view: View): Partial<Address> {
  return { query: view.filter, range: parseRange(view.range), columns: view.columns, event: null, view: view.id };
}

/** Whether the address says nothing that a view could. */
export function isBare(address: Address): boolean {
  const { filter, range, columns } = keptOf(address);
  return filter === "" && range === null && columns === null;
}

/** Whether the list is no longer what the view keeps. */
export function isChanged(view: View, address: Address): boolean {
  const now = keptOf(address);
  // A range that this screen does not know is shown as the default one.
  const range = parseRange(view.range);
  return view.filter !== now.filter || (range === null ? null : printRange(range)) !== now.range || JSON.stringify(view.columns) !== JSON.stringify(now.columns);
}
