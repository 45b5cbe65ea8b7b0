// Files of the log from the screen, in a real browser against the real server; stage.mjs says what it needs.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { after, before, describe, test } from "node:test";
import { setPostman } from "./postman.mjs";
import { setStage, signIn } from "./stage.mjs";

const DAY = 24 * 3_600_000;
const MANY = 12_000;
const PASSWORD = "correct horse battery staple";
const networks = new WeakMap();

let stage, postman;

before(async () => {
  postman = await setPostman();
  // Letters have links, and so the server has to know how it is reached; that this is not how the browser reaches it is no matter.
  stage = await setStage({ environment: { ...postman.environment, TRAILBOOK_PUBLIC_URL: "http://127.0.0.1:1" } });
  const at = (days) => new Date(Date.now() - days * DAY).toISOString();
  const event = (organization, days, action_type, more = {}) => ({ organization, action: `file.${action_type}`, action_type, actor: { id: "u_1", name: "Sarah Khan" }, occurred_at: at(days), ...more });
  const files = (organization) => [event(organization, 0, "create"), event(organization, 1, "delete", { message: 'two\nlines of "it"' }), event(organization, 40, "delete", { metadata: { plan: "gold" } }), event(organization, 80, "update")];
  const policy = {
    retention_days: 90,
    default_range_days: 30,
    max_range_days: 30,
    time_zone: "Asia/Kolkata",
    columns: [
      { id: "when", label: "Date and Time", value: "{occurred_at}" },
      { id: "what", label: "Activity", value: "{action_type}" },
    ],
  };
  for (const organization of ["bounded", "whole", "ranged"]) await stage.call("PUT", `/v1/organizations/${organization}`, { policy });
  // Asking for a file is an event: what is counted is in logs of its own.
  for (const organization of ["bounded", "whole", "ranged", "free", "dated", "left"]) await stage.call("POST", "/v1/events", { events: files(organization) });
  for (let first = 0; first < MANY; first += 1_000) {
    const events = Array.from({ length: 1_000 }, (_, place) => event("many", (first + place) / MANY, "read", { message: "x".repeat(400) }));
    await stage.call("POST", "/v1/events", { events });
  }
});

after(async () => {
  await stage?.end();
  postman?.end();
});

const onLog = (organization, search, use, options) => stage.onPage(`/${search}#key={key}&organization=${organization}`, use, options);
const button = (page) => page.getByRole("button", { name: "Export", exact: true });
const dialog = (page) => page.getByRole("dialog");

async function open(page, name) {
  await button(page).click();
  await page.getByRole("button", { name: new RegExp(`^${name}`) }).click();
  await dialog(page).getByRole("heading", { name }).waitFor();
}

/** Confirms the dialog and reads the file that comes of it. */
async function take(page) {
  const waiting = page.waitForEvent("download");
  await dialog(page).getByRole("button", { name: "Yes, export" }).click();
  const download = await waiting;
  return { name: download.suggestedFilename(), bytes: await readFile(await download.path()) };
}

const rowsOf = (bytes) => bytes.toString("utf8").trim().split("\r\n");

describe("export", () => {
  test("detail 26: the file has the very query of the screen, its range, columns and zone, and as many rows as were said", () =>
    onLog("bounded", "?q=type%3Adelete", async (page) => {
      await page.locator(".count", { hasText: /^1 event/ }).waitFor();
      await open(page, "Export filtered events");
      await dialog(page).getByText("Last 30 days, what matches:").waitFor();
      await dialog(page).getByText("type:delete").waitFor();
      await dialog(page).getByText("1 row", { exact: false }).first().waitFor();
      assert.equal(await dialog(page).getByLabel("Times in").inputValue(), "Asia/Kolkata");
      const { name, bytes } = await take(page);
      assert.match(name, /bounded.*\.csv$/);
      const [header, row, ...more] = rowsOf(bytes);
      assert.equal(header, "Date and Time,Activity");
      assert.match(row, /^"?\d.*\+05:30.*,Delete$/);
      assert.deepEqual(more, []);
      await dialog(page).getByText(/^1 row exported to your downloads/).waitFor();
      await dialog(page).getByRole("button", { name: "Close" }).last().click();
      await dialog(page).waitFor({ state: "detached" });
      for (const act of ["requested", "downloaded"]) assert.equal((await acts("bounded", `trailbook.export.${act}`)).length, 1, act);
    }));

  test("detail 26: JSON lines and evidence, of everything that is kept, with as many rows as were said", () =>
    onLog("whole", "?q=type%3Adelete", async (page) => {
      await open(page, "Export all events");
      await dialog(page).getByText("At most 5 rows").waitFor();
      await dialog(page).getByLabel("JSON lines").check();
      assert.equal(await dialog(page).getByLabel("Times in").count(), 0);
      const all = (await take(page)).bytes.toString("utf8").trim().split("\n").map((line) => JSON.parse(line));
      assert.deepEqual(all.map((event) => event.action), ["trailbook.export.requested", "file.create", "file.delete", "file.delete", "file.update"]);
      await dialog(page).getByRole("button", { name: "Close" }).last().click();

      await open(page, "Export all events");
      await dialog(page).getByLabel("Evidence").check();
      const { name, bytes } = await take(page);
      assert.match(name, /\.zip$/);
      assert.equal(bytes.subarray(0, 2).toString(), "PK");
    }));

  test("detail 26: every field as it is stored, of the dates on the screen, with as many rows as were said", () =>
    onLog("ranged", "", async (page) => {
      await open(page, "Export all events");
      await dialog(page).getByLabel("Only Last 30 days").check();
      await dialog(page).getByText("3 rows", { exact: false }).waitFor();
      await dialog(page).getByLabel("Every field, as it is stored").check();
      await dialog(page).getByLabel("Times in").selectOption("UTC");
      const [header, asked, first] = rowsOf((await take(page)).bytes);
      assert.match(header, /^id,sequence,occurred_at,/);
      assert.match(asked, /,trailbook\.export\.requested,export,/);
      assert.match(first, /Z,ranged,file\.create,create,/);
      // A line end in a cell ends no row.
      await dialog(page).getByText(/^3 rows exported/).waitFor();
    }));

  test("columns of the reader's own go into the file, also where the list's are built in", () =>
    onLog("free", "?q=type%3Adelete&columns=time,metadata.plan", async (page) => {
      await open(page, "Export filtered events");
      await dialog(page).getByText("2 rows", { exact: false }).waitFor();
      const [header, , last] = rowsOf((await take(page)).bytes);
      assert.match(header, /^Occurred at,/);
      assert.match(last, /,gold$/);
    }));

  test("what is filtered by dates alone is not filtered", () =>
    onLog("dated", "?range=28d", async (page) => {
      await page.locator(".count", { hasText: /^2 events/ }).waitFor();
      await button(page).click();
      const filtered = page.getByRole("button", { name: /^Export filtered events/ });
      assert.equal(await filtered.isDisabled(), true);
      await page.keyboard.press("Escape");
      await page.getByRole("combobox", { name: "Search events" }).or(page.getByRole("searchbox", { name: "Search events" })).fill("type:delete");
      await page.keyboard.press("Enter");
      await page.locator(".count", { hasText: /^1 event/ }).waitFor();
      await button(page).click();
      assert.equal(await filtered.isEnabled(), true);
    }));

  test("detail 26: fields are chosen one by one, for CSV in words and for Parquet as they are", () =>
    onLog("free", "?q=type%3Adelete", async (page) => {
      await open(page, "Export filtered events");
      await dialog(page).getByLabel("Fields that I choose").check();
      const fields = dialog(page).getByRole("group", { name: "Fields that I choose" });
      for (const field of await fields.getByRole("checkbox", { checked: true }).all()) assert.equal(await field.isChecked(), true);
      await fields.getByLabel("Security", { exact: true }).uncheck();
      await fields.getByLabel("Metadata").check();
      const [header, , last] = rowsOf((await take(page)).bytes);
      assert.doesNotMatch(header, /Security/);
      assert.match(last, /gold/);
      await dialog(page).getByRole("button", { name: "Close" }).last().click();

      await open(page, "Export filtered events");
      await dialog(page).getByLabel("Parquet").check();
      assert.equal(await dialog(page).getByLabel("Times in").count(), 0);
      const { name, bytes } = await take(page);
      assert.match(name, /\.parquet$/);
      assert.equal(bytes.subarray(0, 4).toString(), "PAR1");
    }));

  test("an export goes on without its dialog and tells when it is done; the list has it, with its file, until it is deleted", () =>
    onLog("many", "", async (page) => {
      await open(page, "Export all events");
      await dialog(page).getByText("12,001 rows", { exact: false }).waitFor();
      const waiting = page.waitForEvent("download");
      await dialog(page).getByRole("button", { name: "Yes, export" }).click();
      await page.keyboard.press("Escape");
      await dialog(page).waitFor({ state: "detached" });
      await page.getByRole("status").filter({ hasText: /^12,001 rows exported to your downloads/ }).waitFor();
      const file = await readFile(await (await waiting).path(), "utf8");
      assert.equal(file.trim().split("\r\n").length, 1 + MANY + 1);

      await page.getByRole("link", { name: "Exports", exact: true }).click();
      const row = page.getByRole("row", { name: /CSV/ });
      await row.getByText("Ready").waitFor();
      await row.getByText("12,001").waitFor();
      const again = page.waitForEvent("download");
      await row.getByRole("link", { name: "Download: CSV" }).click();
      assert.equal(await readFile(await (await again).path(), "utf8"), file);
      await row.getByRole("button", { name: "Delete: CSV" }).click();
      await dialog(page).getByRole("button", { name: "Delete" }).click();
      await dialog(page).waitFor({ state: "detached" });
      await page.getByRole("link", { name: "Download: CSV" }).waitFor({ state: "detached" });
    }));

  test("an export that was given up is cancelled on the server", () =>
    onLog("many", "", async (page) => {
      // The server is quick: its answers are held back until the export was given up.
      let release;
      const held = new Promise((resolve) => (release = resolve));
      await page.route(/\/exports$/, async (route) => {
        if (route.request().method() !== "POST") return route.continue();
        const response = await route.fetch();
        await held;
        await route.fulfill({ response, json: { ...(await response.json()), state: "running" } });
      });
      await open(page, "Export all events");
      await dialog(page).getByRole("button", { name: "Yes, export" }).click();
      await dialog(page).getByRole("progressbar", { name: "Progress of the export" }).waitFor();
      const removed = page.waitForRequest((request) => request.method() === "DELETE" && request.url().includes("/exports/"));
      await dialog(page).getByRole("button", { name: "Stop the export" }).click();
      release();
      await removed;
      await dialog(page).getByRole("button", { name: "Yes, export" }).waitFor();
    }));

  test("M-23, M-24: the file is sent to one's own address, and the screen confirms that it will be", async () => {
    const eve = { email: "eve@free.example", password: PASSWORD };
    await stage.call("POST", "/v1/organizations/free/users", { email: eve.email, name: "Eve", role: "auditor", deliver: "mail" });
    const [token] = /tb_link_[\w-]+/.exec(await postman.letterTo(eve.email));
    await fetch(`${stage.address}/auth/password`, { method: "POST", headers: { "Trailbook-Console": "1", "Content-Type": "application/json" }, body: JSON.stringify({ token, password: PASSWORD }) });
    postman.forget();
    await stage.onPage("/?q=type%3Adelete", async (page) => {
      await signIn(page, eve);
      await open(page, "Export filtered events");
      await dialog(page).getByLabel(`Send it to ${eve.email}`).check();
      let downloads = 0;
      page.on("download", () => downloads++);
      await dialog(page).getByRole("button", { name: "Yes, export" }).click();
      await dialog(page).getByRole("status").filter({ hasText: `You will get an e-mail at ${eve.email} when it is ready.` }).waitFor();
      assert.match(await postman.letterTo(eve.email), /\/downloads\//);
      await dialog(page).getByRole("link", { name: "All your exports" }).click();
      await page.getByRole("row", { name: /CSV/ }).getByText("Ready").waitFor();
      assert.equal(downloads, 0);
    });
  });

  test("M-23: nobody is offered a letter who has no address of their own", () =>
    onLog("free", "", async (page) => {
      await open(page, "Export all events");
      assert.equal(await dialog(page).getByText("Send it to").count(), 0);
    }));

  test("who may not take files any more is told so by the server's own sentence", async () =>
    stage.onPage(await tokenPage("left", { may_export: true }), async (page) => {
      await open(page, "Export all events");
      await stage.call("PUT", "/v1/organizations/left", { policy: { export_roles: ["administrator"] } });
      await dialog(page).getByRole("button", { name: "Yes, export" }).click();
      await dialog(page).getByRole("alert").filter({ hasText: "do not let you export this log" }).waitFor();
    }));

  test("who may not take files is not offered any", async () =>
    stage.onPage(await tokenPage("free", {}), async (page) => {
      await page.locator(".count", { hasText: /events/ }).waitFor();
      assert.equal(await button(page).count(), 0);
      assert.equal(await page.getByRole("link", { name: "Exports", exact: true }).count(), 0);
      await page.goto(`${stage.address}/exports`);
      await page.getByRole("alert").filter({ hasText: "do not let you take files" }).waitFor();
    }));
});

// Making tokens and looking by them is recorded, so that the log has a few events more.
describe("export inside of another product's page, where the file comes as it is read", () => {
  test("detail 26: a long export says how far it is, runs on without its dialog, can be stopped, and tells when it is done", async () =>
    stage.onPage(await framed("many"), async (page) => {
      await open(page, "Export all events");
      await dialog(page).getByText(/12,\d{3} rows/).waitFor();
      await throttle(page, 100_000);
      await dialog(page).getByRole("button", { name: "Yes, export" }).click();
      await dialog(page).getByText(/^[1-9][\d,]* of 12,\d{3} rows$/).waitFor();
      assert.ok(Number(await dialog(page).getByRole("progressbar", { name: "Progress of the export" }).getAttribute("value")) > 0);
      await dialog(page).getByRole("button", { name: "Go on meanwhile" }).click();
      await dialog(page).waitFor({ state: "detached" });
      const state = page.getByRole("status").filter({ hasText: /rows/ });
      await state.filter({ hasText: /of 12,\d{3} rows/ }).waitFor();
      await page.getByRole("button", { name: "Stop the export" }).click();
      await state.filter({ hasText: /of 12,\d{3} rows/ }).waitFor({ state: "detached" });

      await open(page, "Export all events");
      const waiting = page.waitForEvent("download");
      await dialog(page).getByRole("button", { name: "Yes, export" }).click();
      await dialog(page).getByRole("button", { name: "Go on meanwhile" }).click();
      await throttle(page, -1);
      const download = await waiting;
      assert.match(download.suggestedFilename(), /^trailbook-many-\d{4}-\d\d-\d\d\.csv$/);
      const file = await readFile(await download.path(), "utf8");
      assert.ok(file.trim().split("\r\n").length > MANY);
      await state.filter({ hasText: /^12,\d{3} rows exported to trailbook-many-/ }).waitFor();
    }));

  test("a file that breaks off is not kept, and can be asked for again as it was", async () => {
    const line = await breakableLine(stage.address);
    const path = await framed("many");
    try {
      await stage.onPage("/", async (page) => {
        let downloads = 0;
        page.on("download", () => downloads++);
        await page.goto(line.address + path);
        await open(page, "Export all events");
        await dialog(page).getByLabel("JSON lines").check();
        line.breakAfter(500_000);
        await dialog(page).getByRole("button", { name: "Yes, export" }).click();
        await dialog(page).getByRole("alert").filter({ hasText: "The export failed: the file broke off before its end. Nothing was saved." }).waitFor();
        assert.equal(downloads, 0);
        line.breakAfter(Infinity);
        await dialog(page).getByRole("button", { name: "Try again" }).click();
        assert.equal(await dialog(page).getByLabel("JSON lines").isChecked(), true);
        assert.ok((await take(page)).bytes.toString("utf8").trim().split("\n").length >= MANY);
      });
    } finally {
      line.end();
    }
  });
});

/** The page of an auditor's token. */
async function tokenPage(organization, more) {
  const { token } = await stage.call("POST", `/v1/organizations/${organization}/viewer-tokens`, { actor: { id: "u_2", name: "Omar", role: "auditor" }, ...more });
  return `/#organization=${organization}&token=${token}`;
}

/** The page that others frame, by the token of an auditor who may take files. */
async function framed(organization) {
  const { token } = await stage.call("POST", `/v1/organizations/${organization}/viewer-tokens`, { actor: { id: "u_3", name: "Ann", role: "auditor" }, may_export: true });
  return `/embed/${organization}#token=${token}`;
}

/** What the organization's ledger has of these acts. */
async function acts(organization, action) {
  return (await stage.call("GET", `/v1/organizations/${organization}/events?action=${action}`)).events;
}

/** A line to the server that can be made to break after so many bytes of its answers. */
async function breakableLine(address) {
  const { hostname, port } = new URL(address);
  let left = Infinity;
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    const hangUp = () => (client.destroy(), upstream.destroy());
    client.on("error", hangUp).on("close", hangUp).pipe(upstream);
    upstream.on("error", hangUp).on("close", hangUp).on("data", (bytes) => {
      left -= bytes.length;
      if (left < 0) hangUp();
      else client.write(bytes);
    });
  });
  await new Promise((resolve) => server.listen(0, hostname, resolve));
  return { address: `http://${hostname}:${server.address().port}`, breakAfter: (bytes) => (left = bytes), end: () => server.close() };
}

/** The page's network is this slow from now on; -1 is as fast as can be. */
async function throttle(page, bytesPerSecond) {
  networks.set(page, networks.get(page) ?? (await page.context().newCDPSession(page)));
  await networks.get(page).send("Network.emulateNetworkConditions", { offline: false, latency: 0, downloadThroughput: bytesPerSecond, uploadThroughput: -1 });
}
