import { expect, test } from "vitest";
import type { View } from "../../api/views";
import { parseAddress } from "../../query/address";
import { addressOf, isBare, isChanged, keptOf, meant, revised } from "./view";

const view = (kept: Partial<View>): View => ({ id: "view_1", name: "Mine", shared: false, filter: "", range: null, columns: null, owner: { id: "u", name: null }, is_own: true, created_at: "", updated_at: "", ...kept });

test.each([
  ["", { filter: "", range: null, columns: null }],
  ["?q=%20type:login%20&range=7d&columns=a,b", { filter: "type:login", range: "7d", columns: ["a", "b"] }],
])("%s is kept, and is the same list again", (search, kept) => {
  const address = parseAddress(search);
  expect(keptOf(address)).toEqual(kept);
  expect(isChanged(view(kept), { ...address, ...addressOf(view(kept)) })).toBe(false);
});

test.each(["?q=x", "?range=7d", "?columns=a"])("%s is no bare address, and another list than a view of everything", (search) => {
  expect(isBare(parseAddress(search))).toBe(false);
  expect(isChanged(view({}), parseAddress(search))).toBe(true);
});

test("order, event and the view itself are not the view's", () => expect(isBare(parseAddress("?order=asc&event=e&view=view_1"))).toBe(true));

test("a range that the screen does not know is the default one", () => expect(isChanged(view({ range: "last_week" }), parseAddress(""))).toBe(false));

// A page remembers views for as long as it is open: written back whole, its memory shared a view again that its owner had made private, or put an old search back.
test.each<[string, Partial<View>, object]>([
  ["another name", { name: "Other" }, { name: "Other" }],
  ["who sees it", { shared: true }, { shared: true }],
  ["nothing", {}, {}],
])("of a view only what was changed is meant: %s", (_, said, want) => {
  const seen = view({});
  expect(meant(seen, { name: seen.name, shared: seen.shared, ...said })).toEqual(want);
});

test("what is not changed of a view stays as it is now", () => {
  const now = view({ shared: false, filter: "type:login", range: "7d", columns: ["a"] });
  expect(revised(now, { name: "Other" })).toEqual({ name: "Other", shared: false, filter: "type:login", range: "7d", columns: ["a"] });
  expect(revised(now, keptOf(parseAddress("?q=x")))).toEqual({ name: "Mine", shared: false, filter: "x", range: null, columns: null });
});
