// The panel of one event as the products have it: their lines and words, their changes, why it matters, their traces.
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { run, setStage } from "../../../web/e2e/stage.mjs";
import { setProfile } from "./profile.mjs";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const sarah = { id: "u_81", name: "Sarah Khan", email: "sarah@shop.example", team: "Growth" };
const bill = { type: "user", id: "u_92", name: "Bill Hart", email: "bill@shop.example" };

const EVENTS = {
  ometria: [{ action: "user.permissions.added", actor: sarah, targets: [bill], metadata: { permissions: ["admin", "export"] } }],
  "audit-log-report": [
    {
      action: "user.profile.updated",
      actor: sarah,
      targets: [bill],
      changes: [
        { field: "name", before: "Bill Heart", after: "Bill Hart" },
        { field: "email", before: "bill@old.example", after: "bill@shop.example" },
        { field: "role", before: "tutor", after: "administrator" },
        { field: "permissions", before: ["view"], after: ["view", "export"] },
      ],
    },
  ],
  "capillary-intouch": [
    { action: "user.standard.added", actor: sarah, targets: [{ ...bill, id: "u_93", name: "Mei Lin" }] },
    { action: "user.type.changed_to_admin", actor: sarah, targets: [bill], trace_id: TRACE, changes: [{ field: "user_type", before: "standard_user", after: "organization_owner" }], metadata: { user_type: "organization_owner" } },
  ],
};

let stage;
before(async () => {
  stage = await setStage();
  for (const [profile, events] of Object.entries(EVENTS)) await setProfile(stage, profile, events);
  const of = ["--server", stage.address, "--key", stage.key];
  await run("project", "set", "omni", ...of);
  await run("demo", "--profile", "omni", "--project", "omni", ...of);
});
after(() => stage?.end());

/** Presses a row where it has no value of its own, whose press would offer filters. */
const pick = (page, place) => page.locator("tr.event").nth(place).click({ position: { x: 4, y: 4 } });

/** The screen of a product's organization with its newest event opened by pressing its row. */
const onEvent = (profile, use) =>
  stage.onPage(`/#key={key}&organization=demo&project=${profile}`, async (page) => {
    await pick(page, 0);
    const panel = page.locator("aside.detail");
    await panel.locator(".proof").waitFor();
    await use(panel, page);
  });

/** The lines of the panel, name and value. */
const lines = async (panel) => {
  const list = panel.locator("dl").first();
  const [names, values] = [await list.locator("dt").allInnerTexts(), await list.locator("dd").allInnerTexts()];
  return new Map(names.map((name, place) => [name, values[place].trim()]));
};

suite("detail", () => {
  test("C-56: any row opens it, under the product's name", () =>
    onEvent("capillary-intouch", async (panel, page) => {
      await page.getByRole("complementary", { name: "Activity Details" }).waitFor();
      await pick(page, 1);
      await panel.getByRole("heading", { level: 2, name: "Added standard user" }).waitFor();
    }));

  test("C-57, C-58, C-59, C-60, C-61, C-62: its lines are those of the product, in its order", () =>
    onEvent("capillary-intouch", async (panel, page) => {
      const found = await lines(panel);
      assert.deepEqual([...found.keys()], ["Activity type and description", "Date and Time", "Performed By", "Entity", "Product", "Log ID"]);
      assert.equal(found.get("Activity type and description"), "Update — Made organization owner/admin");
      assert.match(found.get("Date and Time"), /^\d{1,2} \w{3} \d{4}, \d\d:\d\d:\d\d\.\d{3} · /);
      assert.equal(found.get("Performed By"), "Sarah Khan · sarah@shop.example");
      assert.equal(found.get("Entity"), "Bill Hart");
      assert.equal(found.get("Product"), "UserManagement");
      assert.equal(found.get("Log ID"), new URL(page.url()).searchParams.get("event"));
      await panel.getByRole("button", { name: "Copy the Log ID" }).waitFor();
    }));

  test("C-63, C-64, C-65, C-66, C-67, C-68: the whole record is there as JSON, with trace, product, actor, organization and expiry", () =>
    onEvent("capillary-intouch", async (panel) => {
      const record = JSON.parse(await panel.getByRole("region", { name: "Activity Details (JSON)" }).locator("pre").textContent());
      assert.equal(record.trace_id, TRACE);
      assert.equal(record.product, "UserManagement");
      assert.deepEqual({ ...record.actor, type: undefined }, { ...sarah, type: undefined });
      assert.equal(record.organization, "demo");
      assert.equal((Date.parse(record.expires_at) - Date.parse(record.received_at)) / 86_400_000, 90);
    }));

  test("R-18: changes of name, email, role and permissions are shown before and after", () =>
    onEvent("audit-log-report", async (panel) => {
      for (const [field, before, after] of [
        ["name", "Bill Heart", "Bill Hart"],
        ["email", "bill@old.example", "bill@shop.example"],
        ["role", "tutor", "administrator"],
        ["permissions", '"view"', '"export"'],
      ]) {
        const row = panel.locator(".diff tr").filter({ has: panel.page().getByRole("rowheader", { name: field }) });
        assert.ok((await row.locator(".before").innerText()).includes(before), `${field} before`);
        assert.ok((await row.locator(".after").innerText()).includes(after), `${field} after`);
      }
    }));

  test("R-26: why it matters for security stands beside the event, in the words of its group", () =>
    onEvent("audit-log-report", async (panel) => {
      const why = panel.getByRole("note", { name: "Why it matters" });
      assert.match(await why.innerText(), /Guards the records of who somebody is, and what their role lets them do, against changes that nobody authorized\./);
    }));

  test("O-30: the permissions that were added are named, in the sentence and one by one", () =>
    onEvent("ometria", async (panel, page) => {
      assert.equal(await panel.getByRole("heading", { level: 2 }).innerText(), "Added permissions, admin, export");
      const more = panel.getByRole("region", { name: "More about it" });
      assert.match(await more.innerText(), /Permissions\s+admin\s+export/);
      await more.getByText("export", { exact: true }).hover();
      await more.getByRole("button", { name: /^Only permissions export$/ }).click();
      await page.waitForFunction(() => new URLSearchParams(location.search).get("q") === "metadata.permissions:export");
      await page.locator("tr.event").first().waitFor();
    }));

  test("N-9: the trace joins the load of a dashboard and the queries that it caused", () =>
    stage.onPage("/?q=action%3Aquery.context+metadata.queryCount%3A8#key={key}&organization=demo&project=omni", async (page) => {
      await pick(page, 0);
      await page.locator("aside.detail").getByRole("link", { name: "Open trace" }).click();
      const steps = page.getByRole("region", { name: "Steps, oldest first" }).getByRole("button");
      await steps.nth(1).waitFor();
      assert.match(await page.locator(".trace-facts").innerText(), /^[2-9] events in /);
      await steps.first().click();
      const record = page.locator("aside.detail").locator("section.record pre");
      await record.waitFor();
      assert.equal(JSON.parse(await record.textContent()).action, "query.context");
      await steps.nth(1).click();
      await page.waitForFunction(() => document.querySelector("section.record pre")?.textContent.includes('"query.execute"'));
    }));
});
