// The files that the products give out: whose button says what, and what is in the file.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, suite, test } from "node:test";
import { setStage } from "../../../web/e2e/stage.mjs";
import { setProfile } from "./profile.mjs";

const DAY = 24 * 3_600_000;
const sarah = { id: "u_81", name: "Sarah Khan", email: "sarah@shop.example" };
const bill = { id: "u_92", name: "Bill Hart", email: "bill@shop.example" };
const target = (type, { id, name }) => ({ type, id, name });

/** With how many days ago each was. */
const EVENTS = {
  moengage: [
    [0, { action: "user.logged_in", actor: sarah }],
    [2, { action: "user.logged_in", actor: bill }],
    [3, { action: "team.created", actor: sarah, targets: [target("team", { id: "t_7", name: "Lifecycle" })] }],
    [20, { action: "user.logged_in", actor: sarah }],
  ],
  "audit-log-report": [
    [0, { action: "contacts.exported", actor: sarah }],
    [1, { action: "contacts.exported", actor: bill }],
  ],
  "capillary-intouch": [
    [0, { action: "user.standard.added", actor: sarah, targets: [target("user", bill)] }],
    [1, { action: "user.standard.removed", actor: sarah, targets: [target("user", bill)] }],
    [40, { action: "user.standard.removed", actor: sarah, targets: [target("user", bill)] }],
    [85, { action: "user.admin.added", actor: bill, targets: [target("user", sarah)] }],
  ],
};

/** Asking for a file is an event before the file begins: one that has no end has it as well. */
const ASKING = 1;

let stage;
before(async () => void (stage = await setStage()));
after(() => stage?.end());

let logs = 0;

/** Looks at a log that nobody has taken a file of. */
async function inProfile(profile, search, use) {
  const project = `${profile}-${++logs}`;
  const events = EVENTS[profile].map(([days, event]) => ({ occurred_at: new Date(Date.now() - days * DAY).toISOString(), ...event }));
  await setProfile(stage, profile, events, project);
  await stage.onPage(`/${search}#key={key}&organization=demo&project=${project}`, (page) => use(page, project));
}

const button = (page, name) => page.getByRole("button", { name, exact: true });
const dialog = (page) => page.getByRole("dialog");
const counted = (page, count) => page.locator(".count", { hasText: new RegExp(`^${count} event`) }).waitFor();

/** Opens the dialog of one of the two files. */
async function open(page, name, file) {
  await button(page, name).click();
  await page.getByRole("button", { name: file }).click();
  await dialog(page).waitFor();
}

/** Confirms, and reads the rows of the file without its header. */
async function take(page) {
  const waiting = page.waitForEvent("download");
  await dialog(page).getByRole("button", { name: "Yes, export" }).click();
  const download = await waiting;
  assert.match(download.suggestedFilename(), /\.csv$/);
  const [header, ...rows] = (await readFile(await download.path(), "utf8")).trim().split("\r\n");
  return { header, rows };
}

/** Whether the button stands at the right of the page's top. */
async function isAtTopRight(page, name) {
  const { x, y, width } = await button(page, name).boundingBox();
  const view = page.viewportSize();
  return x + width > view.width * 0.9 && y < view.height / 4;
}

suite("exports", () => {
  test("M-21: a button Export Audit Logs at the right", () =>
    inProfile("moengage", "", async (page) => {
      await counted(page, 4);
      assert.ok(await isAtTopRight(page, "Export Audit Logs"));
    }));

  test("M-22: the file has what the type, the user and the dates leave; without them, all", async () => {
    const filtered = "?q=action%3Auser.logged_in%20actor%3Au_81&range=7d";
    await inProfile("moengage", filtered, async (page) => {
      await counted(page, 1);
      await open(page, "Export Audit Logs", /^Export filtered/);
      assert.equal((await take(page)).rows.length, 1);
    });
    // The dates alone are a filter as well.
    await inProfile("moengage", filtered, async (page) => {
      await open(page, "Export Audit Logs", /^Export all/);
      await dialog(page).getByLabel("Only Last 7 days").check();
      assert.equal((await take(page)).rows.length, 3 + ASKING);
    });
    await inProfile("moengage", filtered, async (page) => {
      await open(page, "Export Audit Logs", /^Export all/);
      assert.equal((await take(page)).rows.length, 4 + ASKING);
    });
  });

  test("M-24: the screen confirms that the file is there", () =>
    inProfile("moengage", "", async (page) => {
      await counted(page, 4);
      await open(page, "Export Audit Logs", /^Export all/);
      await take(page);
      await page.getByText(/^5 rows exported to your downloads/).first().waitFor();
    }));

  test("R-24: Export, at the top right corner of the report, gives a CSV file to whom may have it", () =>
    inProfile("audit-log-report", "", async (page) => {
      await counted(page, 2);
      assert.ok(await isAtTopRight(page, "Export"));
      await open(page, "Export", /^Export all/);
      assert.equal((await take(page)).rows.length, 2 + ASKING);
    }));

  test("C-37: Export Logs, top right, for the full log or the filtered view", () =>
    inProfile("capillary-intouch", "?q=type%3Adelete", async (page) => {
      await counted(page, 1);
      assert.ok(await isAtTopRight(page, "Export Logs"));
      await button(page, "Export Logs").click();
      for (const file of ["Export all logs", "Export filtered logs"]) assert.equal(await page.getByRole("button", { name: new RegExp(`^${file}`) }).isEnabled(), true);
    }));

  test("C-69: Export all logs has all that is kept, whatever the filters and the range", () =>
    inProfile("capillary-intouch", "?q=type%3Adelete&range=today", async (page) => {
      await open(page, "Export Logs", /^Export all logs/);
      assert.equal((await take(page)).rows.length, 4 + ASKING);
    }));

  test("C-70: Export filtered logs has what matches, and is there only with a filter", () =>
    inProfile("capillary-intouch", "", async (page) => {
      await counted(page, 2);
      await button(page, "Export Logs").click();
      const filtered = page.getByRole("button", { name: /^Export filtered logs/ });
      assert.equal(await filtered.isDisabled(), true);
      await page.keyboard.press("Escape");
      await page.keyboard.press("/");
      await page.keyboard.type("type:delete");
      await page.keyboard.press("Enter");
      await counted(page, 1);
      await open(page, "Export Logs", /^Export filtered logs/);
      assert.equal((await take(page)).rows.length, 1);
    }));

  test("C-71, C-72: a dialog asks, Yes, export confirms, and the file is CSV with the columns of the screen", () =>
    inProfile("capillary-intouch", "?q=type%3Adelete", async (page, project) => {
      await counted(page, 1);
      let downloads = 0;
      page.on("download", () => downloads++);
      await open(page, "Export Logs", /^Export filtered logs/);
      await dialog(page).getByRole("button", { name: "Cancel" }).click();
      await dialog(page).waitFor({ state: "detached" });
      assert.equal(downloads, 0);
      await open(page, "Export Logs", /^Export filtered logs/);
      assert.equal(await dialog(page).getByLabel("CSV", { exact: false }).first().isChecked(), true);
      const { header } = await take(page);
      const { columns } = await stage.call("GET", "/v1/organizations/demo/policy", undefined, project);
      assert.equal(header, columns.map(({ label }) => label).join(","));
    }));
});
