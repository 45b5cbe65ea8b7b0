// What arrives while the list is held still.
import { expect, test } from "vitest";
import type { Event } from "../../api/contract";
import { hold } from "./hold";

const ARRIVALS = [3, 4, 7].map((sequence) => ({ sequence }) as Event);

test("all is shown while nothing holds the list", () => expect(hold(ARRIVALS, null)).toEqual({ shown: ARRIVALS, waiting: 0 }));

test("what came after the list was held waits", () => {
  expect(hold(ARRIVALS, 4)).toEqual({ shown: ARRIVALS.slice(0, 2), waiting: 1 });
  expect(hold(ARRIVALS, -1)).toEqual({ shown: [], waiting: 3 });
});
