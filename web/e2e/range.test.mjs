// The date range of the activity against the real server; stage.mjs says what it needs.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { cellOf, day } from "./days.mjs";
import { setStage } from "./stage.mjs";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Events so many days before now, each at the same time of day. */
const AGES = [0, 0, 1, 3, 10, 27, 28, 40, 80];

let stage;

before(async () => {
  stage = await setStage();
  // "free" has no limits; "bounded" shows at most 30 days of the 90 that it keeps.
  await fill("free");
  await fill("bounded", { retention_days: 90, default_range_days: 30, max_range_days: 30, time_zone: "Europe/London", recorded_since: "2026-01-05T00:00:00Z" });
  await fill("days", { presets: ["custom"], default_range_days: 30, max_range_days: 30, retention_days: 90 });
  await fill("week", { default_range_days: 7, presets: ["today", "last_30_days", "last_90_days"] });
});

after(() => stage?.end());

async function fill(organization, policy) {
  // Before the first event: a retention that is shortened later waits for a week.
  if (policy !== undefined) await stage.call("PUT", `/v1/organizations/${organization}`, { policy });
  const now = Date.now();
  const events = AGES.map((days, place) => ({
    organization,
    action: "report.opened",
    description: `${days} days old`,
    actor: { id: "u_1", name: "Sarah Khan" },
    // Two of today are minutes old, so that they are of today even just after midnight.
    occurred_at: new Date(now - days * DAY - (days === 0 ? place * 1_000 : 0)).toISOString(),
  }));
  await stage.call("POST", "/v1/events", { events });
}

const onLog = (organization, search, use, options) => stage.onPage(`/${search}#key={key}&organization=${organization}`, use, options);
const counted = (page, text) => page.locator(".count", { hasText: new RegExp(`^${text}\\b`) }).waitFor();
const rangeButton = (page) => page.locator(".range .popover-place > button");
const box = (page) => page.locator(".range-picker");
const rangeOf = (page) => new URL(page.url()).searchParams.get("range");

async function choose(page, name) {
  await rangeButton(page).click();
  await box(page).locator(".menu").getByRole("button", { name: new RegExp(`^${name}`) }).click();
  await box(page).waitFor({ state: "detached" });
}

describe("range", () => {
  test("presets by name narrow the list to their days", () =>
    onLog("free", "", async (page) => {
      for (const [name, text, count] of [
        ["Today", "today", "2 events"],
        ["Yesterday", "yesterday", "1 event"],
        ["Last 7 days", "7d", "4 events"],
        ["Last 28 days", "28d", "6 events"],
      ]) {
        await choose(page, name);
        await counted(page, count);
        assert.equal(rangeOf(page), text);
        assert.equal(await rangeButton(page).innerText(), name);
      }
      await choose(page, "All time");
      await counted(page, `${AGES.length} events`);
      await page.goBack();
      await counted(page, "6 events");
    }));

  test("the default window is what the policy says, and the button calls it so", () =>
    onLog("bounded", "", async (page) => {
      await counted(page, "7 events");
      assert.equal(await rangeButton(page).innerText(), "Last 30 days");
      assert.equal(rangeOf(page), null);
    }));

  test("detail 14: a range is typed, and what is none is said before anything is asked", () =>
    onLog("free", "", async (page) => {
      await counted(page, `${AGES.length} events`);
      const type = async (text) => {
        await rangeButton(page).click();
        await box(page).getByLabel("Type a range").fill(text);
        await page.keyboard.press("Enter");
      };
      await type("2h");
      await counted(page, "2 events");
      assert.equal(rangeOf(page), "2h");
      assert.equal(await rangeButton(page).innerText(), "Last 2 hours");
      await type("yesterday");
      await counted(page, "1 event");
      const [from, to] = [day(-28), day(-10)];
      await type(`${from}..${to}`);
      await counted(page, "3 events");
      assert.equal(rangeOf(page), `${from}..${to}`);
      await type("soonish");
      await box(page).getByText("This is no range.", { exact: false }).waitFor();
      assert.equal(await box(page).getByLabel("Type a range").getAttribute("aria-invalid"), "true");
      assert.equal(rangeOf(page), `${from}..${to}`);
    }));

  test("detail 14: start and end come from a calendar, by mouse and by keyboard", () =>
    onLog("free", `?range=${day(-2)}..${day(-2)}`, async (page) => {
      await page.getByText("No event matches").waitFor();
      await rangeButton(page).click();
      const calendar = box(page).getByRole("application", { name: /^Days of the range/ });
      await calendar.locator(`.calendar-day[data-selected]`).first().waitFor();
      // The calendar stands at the range's last day: left is a day earlier, up a week; after the first of two days it goes on to the next.
      await calendar.locator('.calendar-day[data-selection-end]').focus();
      await page.keyboard.press("ArrowLeft");
      await page.keyboard.press("Enter");
      await page.keyboard.press("ArrowUp");
      await page.keyboard.press("Enter");
      await box(page).waitFor({ state: "detached" });
      assert.equal(rangeOf(page), `${day(-9)}..${day(-3)}`);
      await counted(page, "1 event");
      await rangeButton(page).click();
      await (await cellOf(calendar, -10)).click();
      await (await cellOf(calendar, -8)).click();
      await counted(page, "1 event");
      assert.equal(rangeOf(page), `${day(-10)}..${day(-8)}`);
    }));

  test("detail 14: more days than a range may have can be neither picked nor typed, and what a link asks too much of is said", () =>
    onLog("days", "", async (page) => {
      await counted(page, "7 events");
      await rangeButton(page).click();
      // The policy offers days of one's own and nothing by name but the way back.
      await box(page).getByText("At most 30 days at a time").waitFor();
      assert.deepEqual(await box(page).locator(".menu-item").allInnerTexts(), ["Last 30 days\ndefault"]);
      await box(page).getByLabel("Type a range").fill(`${day(-80)}..${day(-50)}`);
      await box(page).getByText("These are 31 days; at most 30 are shown at a time.").waitFor();
      await page.keyboard.press("Enter");
      assert.equal(rangeOf(page), null);
      await box(page).getByLabel("Type a range").fill(`${day(-80)}..${day(-51)}`);
      await page.keyboard.press("Enter");
      await counted(page, "1 event");
      assert.equal(rangeOf(page), `${day(-80)}..${day(-51)}`);

      await rangeButton(page).click();
      const calendar = box(page).getByRole("application", { name: /^Days of the range/ });
      await (await cellOf(calendar, -51)).click();
      assert.equal(await (await cellOf(calendar, -80)).getAttribute("aria-disabled"), null);
      assert.equal(await (await cellOf(calendar, -81)).getAttribute("aria-disabled"), "true");
      await page.keyboard.press("Escape");

      await page.goto(`${stage.address}/?range=${day(-80)}..${day(-40)}`);
      await page.getByText("The range covers 41 calendar days; at most 30 are allowed.", { exact: false }).waitFor();
    }));

  test("detail 14: a range beyond what is kept warns and shows what is left", () =>
    onLog("bounded", "", async (page) => {
      await rangeButton(page).click();
      await box(page).getByText(/^Kept for 90 days: nothing from before /).waitFor();
      await box(page).getByText("Recorded since 5 January 2026").waitFor();
      await box(page).getByLabel("Type a range").fill(`${day(-100)}..${day(-75)}`);
      await page.keyboard.press("Enter");
      await page.getByText("Events are kept for 90 days after they were received", { exact: false }).waitFor();
      await counted(page, "1 event");
    }));

  test("detail 2: a relative range stays relative in the address until it is pinned", () =>
    onLog("free", "?range=7d", async (page) => {
      await counted(page, "4 events");
      await page.getByRole("button", { name: /^Pin/ }).click();
      await counted(page, "4 events");
      assert.match(rangeOf(page), new RegExp(`^${day(-6)}\\.\\.\\d{4}-\\d\\d-\\d\\dT.*Z$`));
      assert.equal(await page.getByRole("button", { name: /^Pin/ }).count(), 0);
      await page.goBack();
      assert.equal(rangeOf(page), "7d");
    }));

  test("detail 2: what is shared is the time on the screen, for good", () =>
    onLog(
      "free",
      "?range=2h&q=actor%3Au_1",
      async (page) => {
        await counted(page, "2 events");
        await page.getByRole("button", { name: "Copy a link to exactly this time" }).click();
        await page.getByRole("button", { name: "Copied" }).waitFor();
        const link = await page.evaluate(() => navigator.clipboard.readText());
        assert.equal(rangeOf(page), "2h");
        const shared = new URL(link).searchParams;
        assert.equal(shared.get("q"), "actor:u_1");
        const [from, to] = shared.get("range").split("..").map((end) => Date.parse(end));
        assert.ok(to - from >= 2 * HOUR && to - from < 2 * HOUR + 3 * 60_000, "two hours, and the minutes by which they are rounded");
        await page.goto(link);
        await counted(page, "2 events");
        assert.equal(await page.getByRole("button", { name: /^Pin/ }).count(), 0);
      },
      { permissions: ["clipboard-read", "clipboard-write"] },
    ));

  test("all time is everything, also where the policy shows less by default", () =>
    onLog("week", "?range=all", async (page) => {
      await counted(page, `${AGES.length} events`);
      assert.equal(await rangeButton(page).innerText(), "All time");
      await rangeButton(page).click();
      await box(page).locator(".menu-item").first().waitFor();
      assert.deepEqual(await box(page).locator(".menu-item").allInnerTexts(), ["Last 7 days\ndefault", "Today", "Last 30 days", "Last 90 days"]);
      assert.equal(await box(page).getByLabel("Type a range").count(), 0);
      await box(page).getByRole("button", { name: "Last 7 days" }).click();
      await counted(page, "4 events");
      assert.equal(rangeOf(page), "7d");
    }));
});
