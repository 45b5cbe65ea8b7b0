// Saved views, in a real browser against the real binary; stage.mjs says what it needs.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setStage, signIn } from "./stage.mjs";

const OF = "/v1/organizations/fashion";
const PASSWORD = "correct horse battery staple";
const person = (name, role) => ({ email: `${name.toLowerCase()}@fashion.example`, name, role, password: PASSWORD });
const [SARAH, BILL, EVE] = [person("Sarah", "owner"), person("Bill", "auditor"), person("Eve", "auditor")];

let stage;
before(async () => {
  stage = await setStage();
  const event = (action, description, actor) => ({ organization: "fashion", action, description, actor });
  const [omar, ann] = [{ id: "u_1", name: "Omar" }, { id: "u_2", name: "Ann" }];
  await stage.call("POST", "/v1/events", { events: [event("price.changed", "Prices raised", omar), event("user.removed", "Somebody removed", ann)] });
  for (const user of [SARAH, BILL, EVE]) await stage.call("POST", `${OF}/users`, user);
});
after(() => stage?.end());

const views = (page) => page.locator(".views-button").click();
const shown = (page, words) => page.getByRole("main").getByText(words).first().waitFor();
const acts = async (action) => (await stage.call("GET", `${OF}/events?action=${action}`)).events;

async function save(page, name, isShared) {
  await views(page);
  await page.getByRole("button", { name: "Save this as a view…" }).click();
  await page.getByLabel("Name").fill(name);
  if (isShared) await page.getByLabel("Shared with everybody who may look").check();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
}

describe("saved views", () => {
  test("detail 30: the page's title is the query, and the view's name where the list is a view", () =>
    stage.onPage("/?q=actor%3Au_1", async (page) => {
      await signIn(page, SARAH);
      await shown(page, "Prices raised");
      assert.equal(await page.title(), "actor:u_1 · Activity · Trailbook");
      await save(page, "What Omar did", false);
      await page.waitForFunction(() => document.title === "What Omar did · actor:u_1 · Activity · Trailbook");
      assert.match(page.url(), /view=view_/);
    }));

  test("detail 30: a private view is its owner's alone", async () => {
    await stage.onPage("/?q=actor%3Au_2&range=7d", async (page) => {
      await signIn(page, BILL);
      await shown(page, "Somebody removed");
      await save(page, "Bill’s own", false);
      const address = page.url();
      await stage.onPage("/", async (sarahs) => {
        await signIn(sarahs, SARAH);
        await shown(sarahs, "Prices raised");
        await views(sarahs);
        await sarahs.getByRole("button", { name: "Save this as a view…" }).waitFor();
        await sarahs.getByRole("region", { name: "Your views" }).waitFor();
        assert.equal(await sarahs.getByText("Bill’s own").count(), 0);
        // Its link shows the list that it spells out, and nothing of the view.
        await sarahs.goto(address);
        await shown(sarahs, "Somebody removed");
        assert.equal(await sarahs.title(), "actor:u_2 · Activity · Trailbook");
      });
    });
  });

  test("detail 30: a shared view has its owner's name, opening it is recorded, and who may not change it is offered no change", async () => {
    await stage.onPage("/?q=actor%3Au_1", async (page) => {
      await signIn(page, BILL);
      await shown(page, "Prices raised");
      await save(page, "Prices", true);
    });
    const before = (await acts("trailbook.view.opened")).length;
    await stage.onPage("/", async (page) => {
      await signIn(page, EVE);
      await shown(page, "Somebody removed");
      await views(page);
      const shared = page.getByRole("region", { name: "Shared with everybody" });
      await shared.getByText("by Bill").waitFor();
      assert.equal(await shared.getByRole("button", { name: /^Change/ }).count(), 0);
      await shared.getByRole("button", { name: /Prices/ }).click();
      await page.waitForFunction(() => document.title.startsWith("Prices · actor:u_1"));
      await shown(page, "Prices raised");
    });
    const opened = await acts("trailbook.view.opened");
    assert.equal(opened.length, before + 1);
    assert.deepEqual([opened[0].actor.name, opened[0].targets[0].name], ["Eve", "Prices"]);
  });

  test("a link with nothing but the view opens it; what is changed since can be kept or left", async () => {
    const view = await stage.call("POST", `${OF}/views`, { name: "Of Ann", shared: true, filter: "actor:u_2", range: "7d" });
    await stage.onPage(`/?view=${view.id}`, async (page) => {
      await signIn(page, SARAH);
      await shown(page, "Somebody removed");
      await page.waitForURL(/q=actor%3Au_2/);
      await page.getByRole("searchbox", { name: "Search events" }).or(page.getByRole("combobox", { name: "Search events" })).fill("actor:u_1");
      await page.keyboard.press("Enter");
      await page.getByRole("button", { name: "Of Ann (changed)" }).waitFor();
      await views(page);
      await page.getByRole("button", { name: "Back to “Of Ann” as it is saved" }).click();
      await page.getByRole("button", { name: "Of Ann", exact: true }).waitFor();
      await page.goBack();
      await page.getByRole("button", { name: "Of Ann (changed)" }).waitFor();
      await views(page);
      await page.getByRole("button", { name: "Save the changes to “Of Ann”" }).click();
      await page.getByRole("button", { name: "Of Ann", exact: true }).waitFor();
    });
    assert.equal((await stage.call("GET", `${OF}/views/${view.id}`)).filter, "actor:u_1");
  });

  test("what somebody else changed of a view meanwhile stays: a page that is open since before changes what it was asked to, and no more", async () => {
    const view = await stage.call("POST", `${OF}/views`, { name: "Of everybody", shared: true, filter: "actor:u_2" });
    const put = (change) => stage.call("PUT", `${OF}/views/${view.id}`, { name: view.name, shared: true, filter: view.filter, ...change });
    const now = () => stage.call("GET", `${OF}/views/${view.id}`);
    await stage.onPage(`/?view=${view.id}&organization=fashion#key={key}&organization=fashion`, async (page) => {
      const search = page.getByRole("searchbox", { name: "Search events" }).or(page.getByRole("combobox", { name: "Search events" }));
      await page.getByRole("button", { name: "Of everybody", exact: true }).waitFor();
      await search.fill("actor:u_1");
      await page.keyboard.press("Enter");
      await views(page);
      const keep = page.getByRole("button", { name: "Save the changes to “Of everybody”" });
      await keep.waitFor();
      await put({ name: "Mine alone", shared: false });
      await keep.click();
      await page.getByRole("button", { name: "Mine alone", exact: true }).waitFor();
      const kept = await now();
      assert.deepEqual([kept.name, kept.shared, kept.filter], ["Mine alone", false, "actor:u_1"]);

      await put({ shared: true });
      await page.reload();
      await views(page);
      await page.getByRole("button", { name: "Change the view Of everybody" }).click();
      await page.getByLabel("Name").fill("Renamed");
      await put({ shared: false, filter: "actor:u_2", range: "7d" });
      await page.getByRole("button", { name: "Save", exact: true }).click();
      await page.getByRole("dialog").waitFor({ state: "detached" });
    });
    const { name, shared, filter, range } = await now();
    assert.deepEqual([name, shared, filter, range], ["Renamed", false, "actor:u_2", "7d"]);
  });

  test("its owner renames a view and stops to share it, and deletes it after asking", () =>
    stage.onPage("/?q=actor%3Au_1", async (page) => {
      await signIn(page, EVE);
      await shown(page, "Prices raised");
      await save(page, "Everything", true);
      await views(page);
      await page.getByRole("button", { name: "Change the view Everything" }).click();
      await page.getByLabel("Name").fill("All of it");
      await page.getByLabel("Shared with everybody who may look").uncheck();
      await page.getByRole("button", { name: "Save", exact: true }).click();
      await page.getByRole("button", { name: "All of it", exact: true }).waitFor();
      const own = async () => (await acts("trailbook.view.deleted")).filter((act) => act.actor.name === "Eve").length;
      await views(page);
      await page.getByRole("region", { name: "Your views" }).getByText("Only you").waitFor();
      await page.getByRole("button", { name: "Change the view All of it" }).click();
      await page.getByRole("button", { name: "Delete", exact: true }).click();
      assert.equal(await own(), 0);
      await page.getByRole("button", { name: "Delete the view" }).click();
      await page.getByRole("button", { name: "Views", exact: true }).waitFor();
      assert.equal(await own(), 1);
      assert.doesNotMatch(page.url(), /view=/);
    }));
});
