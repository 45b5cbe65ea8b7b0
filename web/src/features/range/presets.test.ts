import { expect, test } from "vitest";
import { printRange } from "../../query/range";
import { offeredRanges, offersCustom } from "./presets";

const FREE = { presets: [], default_range_days: null, max_range_days: null, retention_days: null };
const offered = (policy: Parameters<typeof offeredRanges>[0]) => offeredRanges(policy).map(printRange);

test("without a policy's word the built-in ranges are offered, all time among them", () => {
  expect(offered(FREE)).toEqual(["today", "yesterday", "7d", "28d", "all"]);
  expect(offersCustom(FREE)).toBe(true);
});

test("the default range can always be chosen again", () => {
  expect(offered({ ...FREE, default_range_days: 14 })).toEqual(["14d", "today", "yesterday", "7d", "28d", "all"]);
  expect(offered({ ...FREE, presets: ["custom"], default_range_days: 30, max_range_days: 30 })).toEqual(["30d"]);
  expect(offered({ ...FREE, presets: ["last_30_days", "today"], default_range_days: 30 })).toEqual(["30d", "today"]);
});

test("what is wider than a range may be is not offered", () => {
  expect(offered({ ...FREE, max_range_days: 7 })).toEqual(["today", "yesterday", "7d"]);
  expect(offered({ ...FREE, presets: ["last_90_days", "last_7_days"], max_range_days: 30 })).toEqual(["30d", "7d"]);
});

test("days of one's own are the policy's to offer", () => {
  expect(offersCustom({ presets: ["today"] })).toBe(false);
  expect(offersCustom({ presets: ["today", "custom"] })).toBe(true);
});
