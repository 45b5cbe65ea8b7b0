// The first screen in a real browser against the real binary; stage.mjs says what it needs.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setStage, signOut } from "./stage.mjs";

const ORGANIZATION = "fashion";

const sarah = { id: "u_81", name: "Sarah Khan", email: "sarah@fashion.example", team: "Growth" };
const omar = { id: "u_7", name: "Omar Aziz", email: "omar@fashion.example" };
const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const EVENTS = [
  { action: "user.login", action_type: "login", description: "Logged in", actor: omar, targets: [], context: { ip: "198.51.100.7" }, trace_id: TRACE },
  {
    action: "user.role.updated",
    action_type: "update",
    area: "users_and_permissions",
    description: "Made organization owner",
    security: true,
    actor: sarah,
    targets: [{ type: "user", id: "u_92", name: "Bill Hart", email: "bill@fashion.example" }],
    changes: [{ field: "role", before: "administrator", after: "owner" }, { field: "can_export", after: true }],
    context: { ip: "203.0.113.24" },
    trace_id: TRACE,
    metadata: { plan: "gold" },
  },
  { action: "permission_set.deleted", action_type: "delete", area: "users_and_permissions", description: "Permission set deleted", actor: sarah, result: "denied" },
];

let stage;

const post = (events) => stage.call("POST", "/v1/events", { events: events.map((event) => ({ organization: ORGANIZATION, ...event })) });

before(async () => {
  stage = await setStage();
  const now = Date.now();
  await post(EVENTS.map((event, place) => ({ ...event, occurred_at: new Date(now - (EVENTS.length - place) * 60_000).toISOString() })));
});

after(() => stage?.end());

const onPage = (path, use, options) => stage.onPage(path, use, options);

const SIGNED_IN = `#key={key}&organization=${ORGANIZATION}`;
const descriptions = (page) => page.locator(".open-event").allTextContents();
const rows = (page, count) => page.waitForFunction((wanted) => document.querySelectorAll("tr.event").length === wanted, count);
const counted = (page, text) => page.waitForFunction((wanted) => document.querySelector(".count")?.textContent.startsWith(wanted), text);

describe("activity", () => {
  test("a link with a key opens the list, newest first, and the key leaves the address bar", () =>
    onPage(`/app${SIGNED_IN}`, async (page) => {
      await rows(page, 3);
      await counted(page, "3 events");
      assert.deepEqual(await descriptions(page), ["Permission set deleted", "Made organization owner", "Logged in"]);
      assert.equal(page.url(), `${stage.address}/app`);
      assert.equal(await page.locator("th.day").first().textContent().then((text) => /^(Today|Yesterday), /.test(text)), true);
      await page.locator(".histogram button").first().waitFor();
    }));

  test("a browser that forbids storage shows it all the same, and what is chosen holds until the page is left", () =>
    onPage("/", async (page) => {
      await page.addInitScript(() => {
        const get = () => {
          throw new DOMException("denied", "SecurityError");
        };
        for (const name of ["localStorage", "sessionStorage"]) Object.defineProperty(window, name, { get });
      });
      await page.goto("about:blank");
      await page.goto(`${stage.address}/${SIGNED_IN.replace("{key}", stage.key)}`);
      await rows(page, 3);
      assert.equal(await page.evaluate(() => { try { return localStorage.length; } catch { return "forbidden"; } }), "forbidden");
      await page.getByRole("button", { name: "You and this screen" }).click();
      await page.getByRole("radio", { name: "Dark" }).check();
      await page.locator(":root[data-theme=dark]").waitFor();
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: "Columns", exact: true }).click();
      await page.getByRole("radio", { name: "Compact" }).check();
      await page.locator("table[data-density=compact]").waitFor();
    }));

  test("the form refuses a wrong key and takes the right one", () =>
    onPage("/", async (page) => {
      await page.getByRole("button", { name: "Use a key instead" }).click();
      await page.getByLabel("Organization").fill(ORGANIZATION);
      await page.getByLabel("Key").fill("wrong");
      await page.keyboard.press("Enter");
      await page.getByRole("alert").waitFor();
      await page.getByLabel("Key").fill(stage.key);
      await page.keyboard.press("Enter");
      await rows(page, 3);
      await page.reload();
      await rows(page, 3);
      await signOut(page);
      await page.getByLabel("Key").waitFor();
      await page.reload();
      await page.getByRole("heading", { name: "Sign in" }).waitFor();
    }));

  test("a range is in the URL, and an empty one offers everything", () =>
    onPage(`/?range=2001-01-01..2001-01-02${SIGNED_IN}`, async (page) => {
      await page.getByText("No event matches").waitFor();
      await page.getByRole("button", { name: "Show everything" }).click();
      await rows(page, 3);
      await page.getByRole("button", { name: "All time" }).click();
      await page.getByRole("button", { name: "Last 7 days" }).click();
      await page.waitForURL(/range=7d/);
      await rows(page, 3);
    }));

  test("the panel shows the event, its changes and trace, and a proof that was computed", () =>
    onPage(`/${SIGNED_IN}`, async (page) => {
      await rows(page, 3);
      await page.getByText("Made organization owner").click();
      const panel = page.getByRole("complementary", { name: "Event" });
      await panel.getByText("Included and unaltered.").waitFor();
      const text = await panel.innerText();
      for (const wanted of ["Sarah Khan", "Growth team", "Bill Hart", "203.0.113.24", "administrator", "can_export", "Entry 2 of 3", "Logged in"]) {
        assert.ok(text.includes(wanted), `the panel lacks ${wanted}`);
      }
      assert.match(await panel.locator("pre").textContent(), /"plan": "gold"/);
      assert.match(page.url(), /event=[0-9a-f-]{36}/);
      await page.reload();
      await panel.getByText("Included and unaltered.").waitFor();
      await panel.getByRole("link", { name: "Open trace" }).click();
      await page.getByRole("heading", { level: 1, name: "Trace" }).waitFor();
    }));

  test("the keyboard moves, opens and closes", () =>
    onPage(`/${SIGNED_IN}`, async (page) => {
      await rows(page, 3);
      for (const key of ["j", "j", "k", "j", "Enter"]) await page.keyboard.press(key);
      await page.getByRole("heading", { level: 2, name: "Made organization owner" }).waitFor();
      await page.keyboard.press("j");
      await page.getByRole("heading", { level: 2, name: "Logged in" }).waitFor();
      await page.keyboard.press("Escape");
      await page.locator(".detail").waitFor({ state: "detached" });
      assert.equal(await page.evaluate(() => document.activeElement?.textContent), "Logged in");
    }));

  test("what is stored appears by itself, when it matches", () =>
    onPage(`/?q=live${SIGNED_IN}`, async (page) => {
      await page.locator('.live[data-state="live"]').waitFor();
      await page.getByText("No event matches").waitFor();
      await post([{ action: "quiet", description: "Not this one", actor: omar }, { action: "noted", description: "Live and well", actor: omar }]);
      await rows(page, 1);
      await counted(page, "1 event");
      assert.deepEqual(await descriptions(page), ["Live and well"]);
      await page.getByRole("button", { name: "Live", exact: true }).click();
      await page.locator('.live[data-state="off"]').waitFor();
      assert.deepEqual(await descriptions(page), ["Live and well"]);
    }));

  test("the stream begins where the list ends: nothing is read twice, and what came in between is shown", () =>
    stage.onPage("/", async (page) => {
      const organization = "between";
      await post([{ organization, action: "one", description: "Before", actor: omar }]);
      const asked = [];
      page.on("request", (request) => asked.push(request.url().split("/between/")[1] ?? ""));
      let follow;
      const held = new Promise((resolve) => (follow = resolve));
      await page.route(/\/events\/live/, async (route) => {
        await held;
        await route.continue();
      });
      await page.goto(`${stage.address}/#key=${stage.key}&organization=${organization}`);
      await rows(page, 1);
      await counted(page, "1 event");
      await post([{ organization, action: "two", description: "In between", actor: omar }]);
      follow();
      await rows(page, 2);
      await counted(page, "2 events");
      assert.deepEqual(await descriptions(page), ["In between", "Before"]);
      // The histogram asks for the oldest event by itself.
      for (const asking of [/^events\?.*order=desc/, /^events\/count/, /^policy/]) assert.equal(asked.filter((each) => asking.test(each)).length, 1, String(asking));
    }));

  test("a list that could not be read comes by itself when the server is back", () =>
    stage.onPage("/", async (page) => {
      const organization = "returning";
      await post([{ organization, action: "one", description: "Here again", actor: omar }]);
      let isAway = true;
      await page.route(/\/events(\/live|\/count)?(\?|$)/, (route) => (isAway ? route.fulfill({ status: 503 }) : route.continue()));
      await page.goto(`${stage.address}/#key=${stage.key}&organization=${organization}`);
      await page.getByRole("button", { name: "Try again" }).first().waitFor();
      isAway = false;
      await rows(page, 1);
    }));

  test("an organization that does not exist is no empty ledger, and its first event makes it one", () =>
    onPage(`/#key={key}&organization=nobody`, async (page) => {
      await page.getByRole("heading", { name: /no organization called “nobody” yet/ }).waitFor();
      const asked = [];
      page.on("request", (request) => request.url().includes("/v1/") && asked.push(request.url()));
      assert.equal((await page.locator("pre").textContent()).includes(stage.key), false);
      await page.getByRole("button", { name: "Look again" }).click();
      await page.getByRole("button", { name: "Look again" }).waitFor();
      assert.deepEqual(asked, [`${stage.address}/v1/organizations/nobody/policy`]);
      await post([{ organization: "nobody", action: "hello", description: "First event", actor: sarah }]);
      await page.getByRole("button", { name: "Look again" }).click();
      await rows(page, 1);
    }));

  test("a mistyped organization leads back to the form", () =>
    onPage(`/#key={key}&organization=fasion`, async (page) => {
      await page.getByRole("button", { name: "Another organization" }).click();
      await page.getByLabel("Organization").waitFor();
    }));

  test("days are those of the policy's zone, wherever the browser is", () =>
    onPage(
      `/?q=action%3Auser.login${SIGNED_IN}`,
      async (page) => {
        await rows(page, 1);
        assert.match(await page.locator("thead th").first().textContent(), /^Time UTC$/);
        const shown = await page.locator("tr.event time").first().textContent();
        const written = await page.locator("tr.event time").first().getAttribute("datetime");
        assert.equal(shown, written.slice(11, 19));
      },
      { timezoneId: "Pacific/Auckland" },
    ));

  test("hostile content is shown and does nothing, wide or narrow", async () => {
    const markup = `<img src=x onerror="window.harmed=1"><script>window.harmed=1</script>`;
    const turned = "invoice\u202Efdp.exe\u2066\u200f";
    const [name, long] = ["W".repeat(1_000), "W".repeat(100_000)];
    await post([
      { action: "hostile.markup", description: markup, message: markup, actor: { id: "h1", name: markup, email: markup }, targets: [{ type: markup, name: markup }], context: { url: "javascript:window.harmed=1", user_agent: markup }, changes: [{ field: markup, before: markup, after: markup }], metadata: { [markup]: markup } },
      { action: "hostile.turned", description: `${turned} مرحبا`, actor: { id: "h2", name: turned }, targets: [{ type: "file", name: turned }] },
      { action: "hostile.long", description: long, message: long, actor: { id: "h3", name }, targets: [{ type: "file", name }], changes: [{ field: name, before: long, after: long }] },
    ]);
    for (const viewport of [{ width: 1440, height: 900 }, { width: 390, height: 844 }]) {
      await onPage(
        `/?q=action%3Ahostile.*${SIGNED_IN}`,
        async (page) => {
          await rows(page, 3);
          for (const place of [0, 1, 2]) {
            await page.locator(".open-event").nth(place).click();
            await page.getByText("Included and unaltered.").waitFor();
            const shape = await page.evaluate(() => ({
              harmed: "harmed" in window,
              intruders: document.querySelectorAll("#root :is(img, script, iframe), a[href^=javascript]").length,
              overflow: document.documentElement.scrollWidth - innerWidth,
              panelOverflow: document.querySelector(".detail").scrollWidth - document.querySelector(".detail").clientWidth,
              tallest: Math.max(...[...document.querySelectorAll("tr.event")].map((row) => row.offsetHeight)),
              turned: document.querySelector("pre").textContent.includes("\u202e"),
            }));
            assert.deepEqual({ ...shape, tallest: shape.tallest < 90 }, { harmed: false, intruders: 0, overflow: 0, panelOverflow: 0, tallest: true, turned: false }, `row ${place}`);
            await page.getByRole("complementary").getByRole("button", { name: "Close" }).click();
          }
        },
        { viewport },
      );
    }
  });
});
