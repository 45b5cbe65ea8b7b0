import { expect, test } from "vitest";
import type { Event } from "../../api/contract";
import { merge } from "./timeline";

const at = (sequence: number, occurred_at: string) => ({ id: `e${sequence}`, sequence, occurred_at }) as Event;
const ids = (events: Event[]) => events.map((event) => event.id);

const NEW = at(3, "2026-11-20T09:00:00.000Z");
const OLD = at(1, "2026-11-19T09:00:00.000Z");

test("arrivals go where they happened, each once, later ones of the same time first", () => {
  const late = at(4, "2026-11-19T12:00:00.000Z");
  const twin = at(5, NEW.occurred_at);
  expect(ids(merge([[NEW], [OLD]], [late, twin, NEW, late]))).toEqual(["e5", "e3", "e4", "e1"]);
});

test("without arrivals the pages stay as the server ordered them", () => {
  expect(ids(merge([[OLD], [NEW]], []))).toEqual(["e1", "e3"]);
});
