// detail 28: light, dark and as the system has it; forced colours, in which backgrounds and shadows are not drawn; and no motion for who wants none.
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { setStage } from "./stage.mjs";

const ORGANIZATION = "looks";
const at = (search = "") => `/${search}#key={key}&organization=${ORGANIZATION}`;
const event = (description) => ({ organization: ORGANIZATION, action: "door.opened", action_type: "update", description, actor: { id: "u1", name: "Ana" } });

let stage;
const send = (...descriptions) => stage.call("POST", "/v1/events", { events: descriptions.map(event) });

before(async () => {
  stage = await setStage();
  await send("Opened the front door", "Opened the back door");
});
after(() => stage?.end());

const isThere = (page) => page.getByText("Opened the back door").first().waitFor();
const isLive = (page) => page.locator('.live[data-state="live"]').waitFor();

async function choose(page, theme) {
  await page.getByRole("button", { name: "You and this screen" }).click();
  await page.getByRole("group", { name: "Theme" }).locator("label").filter({ hasText: theme }).click();
}

/** Whether the page is dark: its background, and that the text on it is light. */
const isDark = (page) =>
  page.evaluate(() => {
    const brightness = (color) => Math.max(...color.match(/\d+/g).slice(0, 3).map(Number));
    const { backgroundColor, color } = getComputedStyle(document.documentElement);
    return brightness(backgroundColor) < 64 && brightness(color) > 192;
  });

/** Whether something's own animation takes time. */
const moves = (locator) => locator.first().evaluate((element) => getComputedStyle(element).animationDuration !== "0s");

/** The animations under way that take time, by name; those of no length are over before they are seen. */
const motions = (page) =>
  page.evaluate(() =>
    document
      .getAnimations()
      .filter(({ effect }) => effect.getComputedTiming().activeDuration > 0)
      .map((animation) => animation.animationName ?? animation.transitionProperty),
  );

suite("looks", () => {
  test("detail 28: Dark is chosen in the menu of whoever looks, takes effect at once, and is kept", () =>
    stage.onPage(
      at(),
      async (page) => {
        await isThere(page);
        assert.equal(await isDark(page), false);
        await choose(page, "Dark");
        assert.equal(await isDark(page), true);
        await page.reload();
        await isThere(page);
        assert.equal(await page.locator("html").getAttribute("data-theme"), "dark");
        assert.equal(await isDark(page), true);
      },
      { colorScheme: "light" },
    ));

  test("detail 28: as the system has it, which may change", () =>
    stage.onPage(
      at(),
      async (page) => {
        await isThere(page);
        await choose(page, "Light");
        assert.equal(await isDark(page), false);
        await page.getByRole("group", { name: "Theme" }).locator("label").filter({ hasText: "As the system" }).click();
        assert.equal(await isDark(page), true);
        await page.emulateMedia({ colorScheme: "light" });
        assert.equal(await isDark(page), false);
        await page.emulateMedia({ colorScheme: "dark" });
        await page.reload();
        await isThere(page);
        assert.equal(await isDark(page), true);
      },
      { colorScheme: "dark" },
    ));

  test("detail 28: with forced colours, conditions, the open event, the focus and what is chosen have edges that are drawn", () =>
    stage.onPage(
      at("?q=-type:read+door"),
      async (page) => {
        await isThere(page);
        const [paper, highlight] = await page.evaluate(() => {
          const probe = document.body.appendChild(document.createElement("i"));
          probe.style.forcedColorAdjust = "none";
          const colors = ["Canvas", "Highlight"].map((color) => ((probe.style.color = color), getComputedStyle(probe).color));
          probe.remove();
          return colors;
        });
        const edge = (locator, kind) => locator.evaluate((element, kind) => ["Style", "Width", "Color"].map((part) => getComputedStyle(element)[kind + part]), kind);
        const chip = page.locator('.chip[data-negated="true"]').first();
        await chip.waitFor();
        const [style, width, color] = await edge(chip, "borderTop");
        assert.deepEqual([style, width], ["dashed", "1px"]);
        assert.notEqual(color, paper);

        await page.keyboard.press("j");
        const focused = page.locator(":focus");
        const [outline, thickness, ring] = await edge(focused, "outline");
        assert.deepEqual([outline, thickness], ["solid", "2px"]);
        assert.notEqual(ring, paper);

        await page.keyboard.press("Enter");
        assert.deepEqual(await edge(page.locator('tr.event[data-selected="true"]'), "outline"), ["solid", "2px", highlight]);
        assert.equal((await edge(page.locator('tr.event[data-selected="false"]').first(), "outline"))[0], "none");

        await page.getByRole("button", { name: "You and this screen" }).click();
        const chosen = page.getByRole("group", { name: "Theme" }).locator("label:has(:checked)");
        assert.equal(await chosen.evaluate((label) => getComputedStyle(label).backgroundColor), highlight);
      },
      { forcedColors: "active" },
    ));

  for (const [reducedMotion, isMoving] of [
    ["no-preference", true],
    ["reduce", false],
  ]) {
    test(`detail 28: reduced motion, ${reducedMotion}: the live feed, what arrives and what is waited for ${isMoving ? "move" : "do not move"}`, () =>
      stage.onPage(
        at(),
        async (page) => {
          await isThere(page);
          await isLive(page);
          assert.equal((await motions(page)).includes("breathe"), isMoving);
          await send(`Came, ${reducedMotion}`);
          await page.getByText(`Came, ${reducedMotion}`).first().waitFor();
          assert.equal(await moves(page.locator('tr.event[data-fresh="true"] td')), isMoving);

          let release;
          const held = new Promise((resolve) => (release = resolve));
          await page.route(/\/events\?/, async (route) => {
            await held;
            await route.continue();
          });
          await page.getByRole("combobox", { name: "Search events" }).fill("front");
          await page.locator(".events.waiting").waitFor();
          if (!isMoving) assert.deepEqual(await motions(page), []);
          await page.goto("about:blank");
          await page.goto(stage.address);
          await page.locator(".skeleton").waitFor();
          assert.equal(await moves(page.locator(".skeleton")), isMoving);
          if (!isMoving) assert.deepEqual(await motions(page), []);
          release();
          await page.getByText("Opened the front door").first().waitFor();
        },
        { reducedMotion },
      ));
  }
});
