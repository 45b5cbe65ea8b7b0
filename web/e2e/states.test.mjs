// What the list shows while there is nothing to show, while it is looked for, and while events come: and what it leaves on paper.
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { day } from "./days.mjs";
import { setStage } from "./stage.mjs";

const ORGANIZATION = "states";
const at = (organization = ORGANIZATION) => `/#key={key}&organization=${organization}`;
const event = (more) => ({ organization: ORGANIZATION, action: "door.opened", action_type: "update", description: "Opened the door", actor: { id: "u1", name: "Ana" }, ...more });
const named = (days) => new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeZone: "UTC" }).format(new Date(day(days)));

let stage;
const send = (events) => stage.call("POST", "/v1/events", { events });

before(async () => {
  stage = await setStage();
  const now = Date.now();
  await send(Array.from({ length: 150 }, (_, place) => event({ description: `Opened door ${place}`, occurred_at: new Date(now - (200 - place) * 60_000).toISOString() })));
  await send([event({ action: "door.looked_at", action_type: "read", description: "Looked at the door" }), event({ organization: "reads", action: "a.read", action_type: "read", description: "Looked" }), event({ organization: "reads", action: "a.write", description: "Wrote" })]);
  await stage.call("PUT", "/v1/organizations/empty", { policy: {} });
  await stage.call("PUT", "/v1/organizations/reads", { policy: { hide_reads: true } });
  await stage.call("PUT", "/v1/organizations/short", { policy: { retention_days: 30 } });
  await send([event({ organization: "short" })]);
});
after(() => stage?.end());

const count = (page, wanted) => page.locator(".count").filter({ hasText: new RegExp(`^${wanted} events?`) }).waitFor();

suite("states", () => {
  test("detail 25: a ledger without events says how to send the first one, and shows it", () =>
    stage.onPage(at("empty"), async (page) => {
      await page.getByText("Nothing is recorded yet").waitFor();
      assert.match(await page.locator(".state pre").textContent(), /curl .*\/v1\/events/s);
      await send([event({ organization: "empty", description: "The very first" })]);
      await page.getByText("The very first").first().waitFor();
    }));

  test("detail 25: nothing matches: each condition can be dropped, and says how many events there are without it", () =>
    stage.onPage(at(), async (page) => {
      await count(page, 151);
      await page.goto(`${page.url()}?q=type%3Aread+door+%2242%22`.replace(/\/\?/, "/?"));
      await page.getByText("No event matches").waitFor();
      const choice = page.locator(".drop li").filter({ hasText: /Type/ });
      await choice.getByText("1 event", { exact: true }).waitFor();
      await choice.getByRole("button").click();
      await page.getByText("Opened door 42").first().waitFor();
      assert.equal(new URL(page.url()).searchParams.get("q"), 'door "42"');
    }));

  test("detail 25: a range before what is kept says so, and leads to the oldest that can be there", () =>
    stage.onPage(at("short"), async (page) => {
      await count(page, 1);
      await page.goto(`${stage.address}/?range=${day(-90)}..${day(-60)}`);
      await page.getByText("Events of this time are no longer kept").waitFor();
      await page.getByRole("button", { name: "Show the oldest that are kept" }).click();
      await page.getByText("Opened the door").first().waitFor();
    }));

  test("detail 23: who reads further down is not disturbed: arrivals are counted, and shown when asked for", () =>
    stage.onPage(at(), async (page) => {
      await count(page, 151);
      await page.locator('.live[data-state="live"]').waitFor();
      await page.mouse.move(700, 600);
      await page.mouse.wheel(0, 1_500);
      await page.waitForFunction(() => window.scrollY > 500);
      await send([event({ description: "Came later" }), event({ description: "Came later too" })]);
      const pill = page.getByRole("button", { name: "2 new events" });
      await pill.waitFor();
      assert.equal(await page.getByText("Came later").count(), 0);
      await pill.click();
      await page.getByText("Came later too").first().waitFor();
      assert.equal(await pill.count(), 0);
    }));

  test("detail 23: paused, nothing comes; another query takes effect at once", () =>
    stage.onPage(`/?q=description-nowhere`.replace("description-nowhere", "paused") + at().slice(1), async (page) => {
      await page.getByText("No event matches").waitFor();
      await page.locator('.live[data-state="live"]').waitFor();
      await send([event({ description: "While paused off" })]);
      await page.getByText("While paused off").first().waitFor();
      await page.getByRole("button", { name: "Live", exact: true }).click();
      await page.locator('.live[data-state="off"]').waitFor();
      // Whoever follows the same query beside it sees the event come, so that it has gone out to all who listen.
      await stage.onPage("/?q=paused" + at().slice(1), async (other) => {
        await other.locator('.live[data-state="live"]').waitFor();
        await send([event({ description: "Unheard while paused" })]);
        await other.getByText("Unheard while paused").first().waitFor();
      });
      assert.equal((await stage.call("GET", `/v1/organizations/${ORGANIZATION}/events/count?q=unheard`)).count, 1);
      assert.equal(await page.getByText("Unheard while paused").count(), 0);
      await page.getByRole("button", { name: "Live", exact: true }).click();
      await page.getByText("Unheard while paused").first().waitFor();
      await page.getByRole("combobox", { name: "Search events" }).fill("resumed");
      await page.getByText("No event matches").waitFor();
      await send([event({ description: "Only what was asked while paused" }), event({ description: "Only what is asked, resumed" })]);
      await page.getByText("Only what is asked, resumed").first().waitFor();
      assert.equal(await page.getByText("Only what was asked").count(), 0);
      await count(page, 1);
    }));

  test("detail 24: old results stay, dimmed, while a slow answer is awaited, and it can be given up", () =>
    stage.onPage(at(), async (page) => {
      await page.getByText("Opened door 149").first().waitFor();
      let release;
      const held = new Promise((resolve) => (release = resolve));
      await page.route(/\/events\?.*q=slow/, async (route) => {
        await held;
        await route.continue().catch(() => undefined);
      });
      await page.getByRole("searchbox").or(page.getByRole("combobox")).first().fill("slow");
      await page.getByText("Still looking…").waitFor();
      await page.locator(".events.waiting").getByText("Opened door 149").first().waitFor();
      await page.getByRole("button", { name: "Cancel" }).click();
      await page.locator(".events.waiting").waitFor({ state: "detached" });
      await page.waitForFunction(() => !new URLSearchParams(location.search).has("q"));
      assert.equal(await page.getByText("Still looking…").count(), 0);
      release();
    }));

  test("detail 24: a first answer that takes longer than a blink has rows without words in its place, which no quick one is given the time to show", () =>
    stage.onPage(at(), async (page) => {
      await page.getByText("Opened door 149").first().waitFor();
      let release;
      const held = new Promise((resolve) => (release = resolve));
      await page.route(/\/events\?/, async (route) => {
        await held;
        await route.continue();
      });
      await page.reload();
      const skeleton = page.locator(".skeleton");
      await skeleton.waitFor();
      const { animationName, animationDelay, animationFillMode } = await skeleton.evaluate((element) => getComputedStyle(element));
      assert.deepEqual([animationName, animationDelay, animationFillMode], ["come", "0.15s", "backwards"]);
      await page.waitForFunction(() => getComputedStyle(document.querySelector(".skeleton")).opacity === "1");
      release();
      await page.getByText("Opened door 149").first().waitFor();
      assert.equal(await skeleton.count(), 0);
    }));

  test("views are left out where the policy says so, and shown when asked for", () =>
    stage.onPage(at("reads"), async (page) => {
      // Setting the policy is an event of the ledger as well.
      await count(page, 2);
      await page.getByText("Views are left out").waitFor();
      await page.getByRole("button", { name: "Show them" }).click();
      await count(page, 3);
      assert.equal(new URL(page.url()).searchParams.get("reads"), "1");
    }));

  test("detail 30: the page's title is the query", () =>
    stage.onPage("/?q=door" + at().slice(1), async (page) => {
      await page.waitForFunction(() => document.title === "door · Activity · Trailbook");
    }));

  test("detail 29: paper has the query, the range, the zone, who, when, every loaded event and the proof head, and no control", () =>
    stage.onPage(`/?q=door+type:update&range=${day(-1)}..${day(0)}` + at().slice(1), async (page) => {
      // Looking is recorded too, so that the ledger may have grown since the page asked: it is held to the answers that it got.
      const shownAt = page.url();
      await page.goto("about:blank");
      const answers = [];
      page.on("response", (response) => response.url().endsWith("/checkpoint") && answers.push(response));
      await page.goto(shownAt);
      await page.locator(".count").filter({ hasText: /\d+ events/ }).waitFor();
      // What the browser does around printing; its dialog cannot be driven.
      await page.emulateMedia({ media: "print" });
      const printed = await page.waitForFunction(() => {
        window.dispatchEvent(new globalThis.Event("beforeprint"));
        return / events: (\S+)$/.exec(document.querySelector(".print-head")?.textContent ?? "")?.[1];
      });
      const roots = await Promise.all(answers.map(async (answer) => (await answer.text()).split("\n")[2]));
      assert.ok(roots.includes(await printed.jsonValue()));
      const sheet = page.locator(".print-sheet");
      const text = await sheet.innerText();
      for (const part of ["Query", "door type:update", "Range", `${named(-1)} – ${named(0)}`, "Time zone", "UTC", "Printed by", "a key", "Printed at", `${ORGANIZATION}`]) assert.ok(text.includes(part), part);
      const shown = Number(/Events\s+([\d,]+) of/.exec(text)[1].replaceAll(",", ""));
      assert.ok(shown >= 100);
      assert.equal(await sheet.locator("tbody tr").count(), shown);
      assert.equal(await page.locator(".top").isVisible(), false);
      assert.equal(await page.getByRole("button").filter({ visible: true }).count(), 0);
      const breaks = await sheet.locator("tr").evaluateAll((rows) => rows.map((row) => getComputedStyle(row).breakInside));
      assert.deepEqual([...new Set(breaks)], ["avoid"]);
      // What the browser has understood of the numbers of pages.
      const corner = await page.evaluate(() => {
        const within = (rules) => [...(rules ?? [])].flatMap((rule) => [rule, ...within(rule.cssRules)]);
        return [...document.styleSheets].flatMap((sheet) => within(sheet.cssRules)).find((rule) => rule.name === "bottom-right")?.style.content;
      });
      assert.equal(corner, 'counter(page) " / " counter(pages)');
      const pdf = (await page.pdf({ preferCSSPageSize: true })).toString("latin1");
      const pages = pdf.match(/\/Type\s*\/Page\b/g).length;
      assert.ok(pages > 1, `${pages} pages`);
    }));
});
