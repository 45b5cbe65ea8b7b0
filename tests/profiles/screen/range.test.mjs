// The ranges that the products offer: their presets, their calendars, and what is kept.
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { cellOf, day } from "../../../web/e2e/days.mjs";
import { setStage } from "../../../web/e2e/stage.mjs";
import { setProfile } from "./profile.mjs";

const DAY = 24 * 3_600_000;

/** What each product records, and how many days ago it did. */
const EVENTS = {
  ometria: { action: "user.logged_in", ages: [0, 1, 3, 10, 27, 29, 31] },
  moengage: { action: "user.logged_in", ages: [0, 5, 9] },
  "capillary-intouch": { action: "user.standard.added", ages: [0, 29, 30, 50, 80, 95] },
};

let stage;
before(async () => {
  stage = await setStage();
  for (const [profile, { action, ages }] of Object.entries(EVENTS)) {
    await setProfile(stage, profile, ages.map((age) => ({ action, actor: { id: "u_1", name: "Ana" }, occurred_at: new Date(Date.now() - age * DAY).toISOString() })));
  }
});
after(() => stage?.end());

const inProfile = (profile, search, use) => stage.onPage(`/${search}#key={key}&organization=demo&project=${profile}`, use);
const counted = (page, count) => page.locator(".count", { hasText: new RegExp(`^${count} event`) }).waitFor();
const button = (page) => page.locator(".range .popover-place > button");
const box = (page) => page.locator(".range-picker");
const calendar = (page) => box(page).getByRole("application", { name: /^Days of the range/ });
const rangeOf = (page) => new URL(page.url()).searchParams.get("range");

async function choosePreset(page, name) {
  await button(page).click();
  await box(page).locator(".menu").getByRole("button", { name }).click();
}

async function chooseDays(page, first, last) {
  await button(page).click();
  // From the last day on: the calendar goes back from where it is.
  await (await cellOf(calendar(page), last)).click();
  await (await cellOf(calendar(page), first)).click();
  await box(page).waitFor({ state: "detached" });
}

suite("ranges", () => {
  test("O-5: the last 30 days are shown by default", () =>
    inProfile("ometria", "", async (page) => {
      await counted(page, 6);
      assert.equal(await button(page).innerText(), "Last 30 days");
      await button(page).click();
      await box(page).locator(".menu-item").first().waitFor();
      assert.deepEqual(await box(page).locator(".menu-item").allInnerTexts(), ["Last 30 days\ndefault", "Today", "Yesterday", "Last 7 days", "Last 28 days"]);
    }));

  const offered = (name, count) => () =>
    inProfile("ometria", "", async (page) => {
      await counted(page, 6);
      await choosePreset(page, name);
      await counted(page, count);
      assert.equal(await button(page).innerText(), name);
    });
  test("O-14: the range Today", offered("Today", 1));
  test("O-15: the range Yesterday", offered("Yesterday", 1));
  test("O-16: the range Last 7 days", offered("Last 7 days", 3));
  test("O-17: the range Last 28 days", offered("Last 28 days", 5));

  test("O-18: a range of one's own", () =>
    inProfile("ometria", "", async (page) => {
      await counted(page, 6);
      await chooseDays(page, -10, -3);
      await counted(page, 2);
      assert.equal(rangeOf(page), `${day(-10)}..${day(-3)}`);
    }));

  test("M-12: the list is filtered by dates", () =>
    inProfile("moengage", "", async (page) => {
      await chooseDays(page, -6, -4);
      await counted(page, 1);
      assert.equal(rangeOf(page), `${day(-6)}..${day(-4)}`);
    }));

  test("C-35, C-46: a date picker at the top, with a start and an end from a calendar", () =>
    inProfile("capillary-intouch", "", async (page) => {
      await counted(page, 2);
      await chooseDays(page, -52, -40);
      await counted(page, 1);
      assert.equal(rangeOf(page), `${day(-52)}..${day(-40)}`);
    }));

  test("C-47: a range has at most 30 days", () =>
    inProfile("capillary-intouch", `?range=${day(-40)}..${day(-40)}`, async (page) => {
      await button(page).click();
      await box(page).getByText("At most 30 days at a time").waitFor();
      await (await cellOf(calendar(page), -40)).click();
      assert.equal(await (await cellOf(calendar(page), -69)).getAttribute("aria-disabled"), null);
      assert.equal(await (await cellOf(calendar(page), -70)).getAttribute("aria-disabled"), "true");
      await box(page).getByLabel("Type a range").fill(`${day(-70)}..${day(-40)}`);
      await box(page).getByText("These are 31 days; at most 30 are shown at a time.").waitFor();
    }));

  test("C-48: a range beyond 90 days warns, and shows what there is", () =>
    inProfile("capillary-intouch", `?range=${day(-105)}..${day(-76)}`, async (page) => {
      await page.getByText("Events are kept for 90 days after they were received", { exact: false }).waitFor();
      // Both were received today, so that both are still kept.
      await counted(page, 2);
    }));

  test("C-73: 90 days are kept, and seen in windows of up to 30 of them", () =>
    inProfile("capillary-intouch", "", async (page) => {
      await counted(page, 2);
      for (const [first, last, count] of [
        [-59, -30, 2],
        [-89, -60, 1],
      ]) {
        await chooseDays(page, first, last);
        await counted(page, count);
      }
      await button(page).click();
      await box(page).getByText(/^Kept for 90 days: nothing from before /).waitFor();
    }));
});
