// The bars over the list, in a real browser against the real server; stage.mjs says what it needs.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setStage } from "./stage.mjs";

const DAY = 24 * 3_600_000;
/** On each of so many days before today, at noon: what was done. */
const DAYS = { 1: ["create", "delete"], 2: ["update"], 4: ["export", "delete", "delete"], 6: ["create"] };

let stage;

before(async () => {
  stage = await setStage();
  const event = (occurred_at, action_type, more = {}) => ({ organization: "bars", action: `file.${action_type}`, action_type, actor: { id: "u_1" }, occurred_at, ...more });
  const old = Object.entries(DAYS).flatMap(([days, types]) => types.map((type) => event(`${day(-days)}T12:00:00Z`, type, { security: type === "delete", result: type === "export" ? "denied" : "success" })));
  await stage.call("POST", "/v1/events", { events: [...old, event(new Date().toISOString(), "create")] });
});

after(() => stage?.end());

const onBars = (use) => stage.onPage("/?range=7d#key={key}&organization=bars", use);
const bars = (page) => page.locator(".histogram button");
const counted = (page, text) => page.locator(".count", { hasText: new RegExp(`^${text}\\b`) }).waitFor();
const rangeOf = (page) => new URL(page.url()).searchParams.get("range");
const daysOf = (page) => rangeOf(page).split("..").map((end) => end.slice(0, 10));
const drawn = (page, count) => page.waitForFunction((wanted) => document.querySelectorAll(".histogram button").length === wanted, count);

describe("histogram", () => {
  test("detail 12: empty buckets are drawn, and the one that is still arriving is hatched", () =>
    onBars(async (page) => {
      await drawn(page, 7);
      const shown = await bars(page).evaluateAll((all) => all.map((bar) => [Number(/: (\d+) event/.exec(bar.ariaLabel)[1]), bar.querySelectorAll("i").length > 0, bar.dataset.arriving !== undefined]));
      assert.deepEqual(shown, [
        [1, true, false],
        [0, false, false],
        [3, true, false],
        [0, false, false],
        [1, true, false],
        [2, true, false],
        [1, true, true],
      ]);
      const paint = (bar) => bar.locator("i").first().evaluate((piece) => getComputedStyle(piece).backgroundImage);
      assert.match(await paint(bars(page).nth(6)), /repeating-linear-gradient/);
      assert.equal(await paint(bars(page).nth(5)), "none");
    }));

  test("detail 11: dragging over bars narrows to them, and a double click undoes it", () =>
    onBars(async (page) => {
      await drawn(page, 7);
      await dragOver(page, 2, 4);
      await counted(page, "4 events");
      assert.deepEqual(daysOf(page), [day(-4), day(-1)]);
      await page.locator(".histogram").dblclick();
      await counted(page, "8 events");
      assert.equal(rangeOf(page), "7d");
      await drawn(page, 7);
      // Two steps in, one at a time out.
      await dragOver(page, 2, 5);
      await counted(page, "6 events");
      await bars(page).first().waitFor();
      await page.getByRole("button", { name: "Back to Last 7 days" }).click();
      await counted(page, "8 events");
      assert.equal(await page.getByRole("button", { name: /^Back to/ }).count(), 0);
    }));

  test("detail 11: Shift with the arrow keys takes bars, Enter narrows, Escape undoes", () =>
    onBars(async (page) => {
      await drawn(page, 7);
      await bars(page).nth(4).focus();
      await page.keyboard.press("Shift+ArrowRight");
      await page.locator(".histogram-taken").filter({ hasText: "3 events" }).waitFor();
      await page.keyboard.press("Escape");
      await page.locator(".histogram-taken").filter({ hasText: "events" }).waitFor({ state: "detached" });
      await page.keyboard.press("Shift+ArrowLeft");
      await page.keyboard.press("Shift+ArrowLeft");
      await page.keyboard.press("Enter");
      await counted(page, "3 events");
      assert.deepEqual(daysOf(page), [day(-3), day(0)]);
      // The focus is on the bars that came of it, so that keys go on.
      await page.waitForFunction(() => document.activeElement?.parentElement?.classList.contains("histogram"));
      await page.keyboard.press("Escape");
      await counted(page, "8 events");
      assert.equal(rangeOf(page), "7d");
    }));

  test("detail 11: bars are stacked by security, by type and by result", () =>
    onBars(async (page) => {
      await drawn(page, 7);
      const kinds = (at) => bars(page).nth(at).locator("i").evaluateAll((pieces) => pieces.map((piece) => piece.dataset.kind));
      assert.deepEqual(await kinds(2), ["rest", "security"]);
      await page.getByLabel("Stacked by").selectOption("type");
      await page.locator('.histogram i[data-kind="create"]').first().waitFor();
      assert.deepEqual(await kinds(2), ["rest", "delete"]);
      assert.deepEqual(await kinds(5), ["create", "delete"]);
      assert.match(await bars(page).nth(2).getAttribute("aria-label"), /: 3 events, Others 1, Delete 2$/);
      await page.getByLabel("Stacked by").selectOption("result");
      await page.locator('.histogram i[data-kind="denied"]').first().waitFor();
      assert.deepEqual(await kinds(2), ["success", "denied"]);
    }));
});

async function dragOver(page, first, last) {
  const [from, to] = [await bars(page).nth(first).boundingBox(), await bars(page).nth(last).boundingBox()];
  await page.mouse.move(from.x + from.width / 2, from.y + 20);
  await page.mouse.down();
  await page.mouse.move(to.x + to.width / 2, to.y + 20, { steps: 5 });
  await page.mouse.up();
}

/** The day in UTC that is so many days after today. */
function day(days) {
  return new Date(Date.now() + days * DAY).toISOString().slice(0, 10);
}
