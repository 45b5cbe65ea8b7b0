// The list of each product: its columns, what they say, and how a row opens.
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import { run, setStage } from "../../../web/e2e/stage.mjs";

const PROFILES = ["ometria", "moengage", "capillary-intouch"];
const ZONE = "Asia/Kolkata";

let stage;
/** An organization of each profile's own project, with the profile's examples. */
const at = (profile, search = "") => `/${search}#key={key}&organization=demo&project=${profile}`;

before(async () => {
  stage = await setStage({ environment: { TRAILBOOK_COUNTRY_DATABASE: fileURLToPath(new URL("../../../testdata/documentation.mmdb", import.meta.url)) } });
  for (const profile of PROFILES) {
    await run("project", "set", profile, "--server", stage.address, "--key", stage.key);
    await run("profile", "apply", profile, "--project", profile, "--server", stage.address, "--key", stage.key);
    await run("demo", "--server", stage.address, "--key", stage.key, "--profile", profile, "--project", profile);
  }
  await send("ometria", "POST", "/v1/events", { organization: "demo", action: "permissions.added", description: "Added permissions, admin, export", actor: { id: "u1", name: "Sarah", email: "sarah@abroad.example" }, targets: [{ type: "user", id: "u2", name: "Bill" }], context: { ip: "203.0.113.24" }, area: "users_and_permissions", security: true });
  await send("capillary-intouch", "PUT", "/v1/organizations/demo", { name: "demo", policy: { time_zone: ZONE } });
});
after(() => stage?.end());

async function send(project, method, path, body) {
  const response = await fetch(stage.address + path, {
    method,
    headers: { Authorization: `Bearer ${stage.key}`, "Content-Type": "application/json", "Trailbook-Project": project },
    body: JSON.stringify(body),
  });
  assert.ok(response.ok, `${response.status} ${await response.text()}`);
}

const heads = async (page) => (await page.locator("thead th").allInnerTexts()).map((text) => text.replaceAll(/\s+/g, " ").trim());
const ready = (page) => page.locator("tr.event").first().waitFor();
/** What the first row that has `text` says under a column, as lines. */
const said = async (page, text, column) => (await page.locator(`tr.event:has-text("${text}")`).first().locator(`td[data-label="${column}"]`).innerText()).split("\n").map((line) => line.trim()).filter(Boolean);
const instants = (page) => page.locator("tr.event time").evaluateAll((all) => all.map((time) => time.dateTime));

suite("table", () => {
  test("O-29, O-30, O-31, O-32, O-33, O-34, O-35: the columns Area, Activity, Target, User, IP address, Country and Timestamp, in UTC", () =>
    stage.onPage(at("ometria", "?q=actor:u1"), async (page) => {
      await ready(page);
      assert.deepEqual(await heads(page), ["Area", "Activity", "Target", "User", "IP address", "Country", "Timestamp UTC"]);
      const row = "Added permissions, admin, export";
      assert.deepEqual(await said(page, row, "Area"), ["Users and permissions"]);
      assert.equal((await said(page, row, "Activity"))[0], row);
      assert.deepEqual(await said(page, row, "Target"), ["Bill"]);
      assert.ok((await said(page, row, "User")).includes("sarah@abroad.example"));
      assert.deepEqual(await said(page, row, "IP address"), ["203.0.113.24"]);
      assert.deepEqual(await said(page, row, "Country"), ["United Kingdom"]);
      const [instant] = await instants(page);
      const [time] = await said(page, row, "Timestamp");
      assert.match(time, new RegExp(`^\\d+ \\w+ \\d{4}, ${instant.slice(11, 19)}$`));
    }));

  test("O-27: the columns to display are chosen", () =>
    stage.onPage(at("ometria"), async (page) => {
      await ready(page);
      await page.getByRole("button", { name: "Columns", exact: true }).click();
      await page.getByRole("checkbox", { name: "Country", exact: true }).click();
      await page.waitForFunction(() => ![...document.querySelectorAll("thead th")].some((head) => head.textContent.trim() === "Country"));
      assert.equal(await page.locator('td[data-label="Country"]').count(), 0);
    }));

  test("M-8, M-14, M-15, M-16, M-17, M-18, M-19, M-20: a table of Time, Team, Entity, Activity, Action, Actor and IP", () =>
    stage.onPage(at("moengage", "?q=type:delete"), async (page) => {
      await ready(page);
      assert.equal(await page.getByRole("grid").locator("thead").count(), 1);
      assert.deepEqual(await heads(page), ["Time UTC", "Team", "Entity", "Activity", "Action", "Actor", "IP"]);
      const row = "Deleted the team Summer campaign";
      assert.deepEqual(await said(page, row, "Team"), ["Platform"]);
      assert.deepEqual(await said(page, row, "Entity"), ["Team"]);
      assert.deepEqual((await said(page, row, "Activity"))[0], row);
      assert.deepEqual(await said(page, row, "Action"), ["Delete"]);
      assert.match((await said(page, row, "Actor")).at(-1), /^\S+@travel\.example$/);
      assert.match((await said(page, row, "IP"))[0], /^[0-9a-f.:]+$/);
      const [instant] = await instants(page);
      assert.ok((await said(page, row, "Time"))[0].endsWith(instant.slice(11, 19)));
    }));

  test("C-40, C-41, C-42, C-43: Date and Time in the organization's zone, Activity with its type, Entity with its type and product, Performed By with name and e-mail", () =>
    stage.onPage(at("capillary-intouch"), async (page) => {
      await ready(page);
      const [time, ...others] = await heads(page);
      assert.match(time, /^Date and Time (IST|GMT\+5:30)$/);
      assert.deepEqual(others, ["Activity", "Entity", "Performed By", "Security action"]);
      const row = "Made organization owner/admin";
      assert.deepEqual(await said(page, row, "Activity"), [row, "Update"]);
      assert.deepEqual((await said(page, row, "Entity")).join(" "), "Bill Hart User · UserManagement");
      assert.match((await said(page, row, "Performed By")).join(" "), /Ananya Rao ananya\.rao@northwind\.example$/);
      const [instant] = await instants(page);
      const there = new Intl.DateTimeFormat("en-GB", { timeZone: ZONE, hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(new Date(instant));
      assert.ok((await page.locator("tr.event time").first().innerText()).endsWith(there));
    }));

  test("C-31, C-44: a security action has its tag in the row, and no other has", () =>
    stage.onPage(at("capillary-intouch"), async (page) => {
      await ready(page);
      assert.deepEqual(await said(page, "Made organization owner/admin", "Security action"), ["Security action"]);
      assert.deepEqual(await said(page, "Added standard user", "Security action"), []);
    }));

  test("C-33, C-34: newest first, and what is stored meanwhile comes to stand above", () =>
    stage.onPage(at("capillary-intouch"), async (page) => {
      await ready(page);
      await page.locator('.live[data-state="live"]').waitFor();
      const shown = await instants(page);
      assert.deepEqual(shown, [...shown].sort().reverse());
      await send("capillary-intouch", "POST", "/v1/events", { organization: "demo", action: "something.new", description: "Came while somebody looked", actor: { id: "u9", name: "Ana" } });
      await page.waitForFunction(() => document.querySelector("tr.event")?.textContent.includes("Came while somebody looked"));
    }));

  test("C-56: any row opens when it is selected, by the pointer and by the keyboard", () =>
    stage.onPage(at("capillary-intouch"), async (page) => {
      await ready(page);
      const panel = page.getByRole("complementary");
      for (const place of [1, 4]) {
        const row = page.locator("tr.event").nth(place);
        await row.click({ position: { x: 6, y: 6 } });
        await panel.waitFor();
        assert.equal(new URL(page.url()).searchParams.get("event"), await row.getAttribute("data-id"));
      }
      await page.keyboard.press("Escape");
      await panel.waitFor({ state: "detached" });
      await page.keyboard.press("j");
      await page.keyboard.press("Enter");
      await panel.waitFor();
    }));
});
