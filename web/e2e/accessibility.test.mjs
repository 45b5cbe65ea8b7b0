// Every screen, light and dark, wide and narrow, has no fault that axe-core finds; stage.mjs says what it needs.
//
// What no machine finds (whether names say enough, whether the order makes sense) is in the journeys of each screen.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { setStage } from "./stage.mjs";

const AXE = fileURLToPath(new URL("../node_modules/axe-core/axe.min.js", import.meta.url));
const RULES = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"];
const ORGANIZATION = "fashion";
const OF = `/v1/organizations/${ORGANIZATION}`;

const VIEWPORTS = [
  { width: 1440, height: 900 },
  { width: 390, height: 844 },
];

/** What is not judged, by rule and by what it is about, with the exception of WCAG that it falls under. */
const EXCEPTIONS = {
  "target-size": [
    // Essential: the width of a bar is the time that it stands for.
    ".trend a",
    // Inline: the lines of the list's cells; the same can be done from the keyboard and in the filter panel.
    ".values button",
    ".two button",
    // Covered in part by a menu that the reader has opened, and closes with Escape or a click.
    ".add-filter",
    ".about a",
  ],
};

const button = (page, name) => page.getByRole("button", { name });
const heading = (page, name) => page.getByRole("heading", { name });
const press = (name) => (page) => button(page, name).first().click();
const row = (page) => page.getByText("Price list changed").first();
const dialog = (page) => page.getByRole("dialog");
const list = (query = "") => `/${query}`;

/** The page's policy lets no script in that is not its own, which axe-core is not. Nothing moves while it is judged. */
const JUDGED = { reducedMotion: "reduce", bypassCSP: true };

/** Each: its name, where it is, what is pressed there, and what has to be there before it is judged. */
const OUTSIDE = [
  ["signing in", "/", null, (page) => heading(page, "Sign in")],
  ["signing in, refused", "/", refuseSignIn, (page) => page.getByRole("alert")],
  ["signing in with a key", "/", press("Use a key instead"), (page) => heading(page, "Use a key")],
  ["single sign-on", "/", press("Single sign-on"), (page) => heading(page, "Single sign-on")],
  ["a forgotten password", "/", press("Forgotten password?"), (page) => heading(page, "Forgotten password")],
  ["choosing a password", "/#tb_link_x", null, (page) => heading(page, "Choose a password")],
];

const INSIDE = [
  ["the list", list(), null, row],
  ["the list, with conditions", list("?q=type:update%20-area:reporting%20price"), null, row],
  ["one event", () => list(`?event=${first}`), null, (page) => page.getByText("Included and unaltered.")],
  ["who did it", () => list(`?event=${first}`), press("About Omar Aziz"), (page) => page.locator(".peek-box").getByText("Last seen")],
  ["copying an event", () => list(`?event=${first}`), press("Copy as"), (page) => page.locator(".detail .menu-item")],
  ["an event that does not exist", list("?event=0"), null, (page) => page.getByText("This event cannot be shown")],
  ["completion", list(), (page) => page.getByRole("combobox", { name: "Search events" }).fill("ty"), (page) => page.getByRole("listbox")],
  ["adding a filter", list(), press("Add filter"), (page) => page.locator(".condition-editor")],
  ["the filter panel", list(), press("Filter"), dialog],
  ["ranges and the calendar", list(), (page) => page.locator(".range button").first().click(), (page) => page.getByRole("grid", { name: /November|October|December|Days of the range/ })],
  ["choosing columns", list(), press("Columns"), (page) => page.getByRole("searchbox", { name: /column/i })],
  ["what a value offers", list(), press("User: Omar Aziz"), (page) => page.getByRole("menu")],
  ["what a time tells", list(), (page) => page.locator("tr.event time").first().hover(), (page) => page.getByRole("group", { name: "Time", exact: true })],
  ["the keyboard's keys", list(), askForKeys, dialog],
  ["the menu of whoever looks", list(), press("You and this screen"), (page) => button(page, "Sign out")],
  ["nothing matches", list("?q=nobody-says-this%20type:delete"), null, (page) => page.getByText("No event matches")],
  ["a query that cannot be read", list("?q=type:"), null, (page) => page.getByRole("alert")],
  ["insights", "/insights", null, (page) => page.locator(".tile a")],
  ["integrity", "/integrity", null, (page) => page.locator('.integrity-state[data-state="verified"]')],
  ["settings: organization", "/settings/organization", null, (page) => button(page, "Save")],
  ["settings: a policy's field", "/settings/organization", press("Set Title here"), (page) => button(page, "Save")],
  ["a trace", "/traces/t-1", null, row],
  ["the export dialog", list(), askToExport, dialog],
  ["settings: users", "/settings/users", null, (page) => page.getByText("eve@fashion.example")],
  ["settings: somebody", "/settings/users", press("Change eve@fashion.example"), dialog],
  ["settings: keys", "/settings/keys", press("Make a key"), dialog],
  ["settings: before something that cannot be undone", "/settings/tokens", press(/^Revoke /), dialog],
  ["settings: viewer tokens", "/settings/tokens", press("Make a token"), dialog],
  ["settings: single sign-on", "/settings/single-sign-on", null, (page) => page.getByLabel("Issuer")],
  ["settings: the catalog", "/settings/catalog", null, (page) => page.getByText("The project has no catalog")],
  ["the own profile", "/profile", null, (page) => page.getByText("What you may do in fashion")],
  ["going to other organizations", list(), press("go to another organization"), (page) => button(page, "empty")],
  ["exports", "/exports", null, (page) => page.getByRole("link", { name: "Download: CSV" })],
  ["exports: before a file is deleted", "/exports", press("Delete: CSV"), dialog],
  ["streams", "/streams", null, (page) => button(page, "Test Hook")],
  ["streams: a replay", "/streams", press("Replay Hook"), dialog],
  ["streams: a new one", "/streams/new", null, (page) => button(page, "Create the stream")],
  ["streams: one to be changed", () => `/streams/${stream}`, null, (page) => button(page, "Replace Signing secret")],
  ["alerts", "/alerts", null, (page) => button(page, "Test Sign-ins")],
  ["alerts: a new one", "/alerts/new", (page) => page.getByLabel("Tells of").selectOption("threshold"), (page) => page.getByLabel("At least")],
  ["saved views", list(), press("Views"), (page) => page.getByText("No views yet.")],
  ["saving a view", list(), saveView, dialog],
];

/** Inside of another page, by the token of the link. */
const EMBEDDED = [["the page that others frame", () => framed, null, row]];

/** Logs of which there is nothing to see: by the link that leads there. */
const EMPTY = [
  ["an organization without events", () => link("empty"), null, (page) => page.getByText("Nothing is recorded yet")],
  ["an organization that does not exist", () => link("nobody"), null, (page) => page.getByText("There is no organization called")],
  ["somebody who may not look", () => refused, null, (page) => heading(page, "You cannot see this log")],
];

let stage;
/** The id of the event that is opened, the link of a token that lets nothing through, and the framed page of one that does. */
let first;
let refused;
let framed;
/** The id of a stream. */
let stream;

before(async () => {
  stage = await setStage();
  const event = { organization: ORGANIZATION, action: "price_list.changed", description: "Price list changed", security: true, action_type: "update", area: "prices", trace_id: "t-1" };
  const actor = { id: "u_81", name: "Omar Aziz", email: "omar@fashion.example" };
  const sent = await stage.call("POST", "/v1/events", {
    events: [
      { ...event, actor, targets: [{ type: "price_list", id: "p_1", name: "Winter" }], context: { ip: "81.2.69.142" }, changes: [{ field: "price", before: 1, after: null }], metadata: { rows: 12 } },
      { ...event, actor, result: "denied", occurred_at: "2026-11-01T08:00:00Z" },
      { organization: ORGANIZATION, action: "user.session.start", action_type: "login", result: "failure", actor: { type: "system" } },
    ],
  });
  first = sent.events[0].id;
  await stage.call("PUT", OF, { policy: { view_roles: ["reader"], retention_days: 400, max_range_days: 90, coverage_note: "All that your team does.", feedback_url: "https://feedback.example/log", breadcrumb: ["Account"] } });
  await stage.call("PUT", "/v1/organizations/empty", {});
  await stage.call("POST", `${OF}/users`, { email: "eve@fashion.example", role: "reader", password: "correct horse battery staple" });
  const hook = { url: "https://hooks.fashion.example/log", headers: { Environment: "production" } };
  stream = (await stage.call("POST", `${OF}/streams`, { name: "Hook", destination: { type: "webhook", ...hook }, secrets: {} })).id;
  await stage.call("POST", `${OF}/alerts`, { name: "Sign-ins", filter: "type:login", condition: { type: "threshold", count: 5, window_seconds: 900, by: "ip" }, webhook: hook });
  for (const format of ["csv", "evidence"]) await stage.call("POST", `${OF}/exports`, { format, scope: "all" });
  const token = await stage.call("POST", `${OF}/viewer-tokens`, { actor: { id: "p_1", role: "clerk" }, ttl_seconds: 600 });
  const shown = await stage.call("POST", `${OF}/viewer-tokens`, { actor: { id: "p_2", role: "reader" }, ttl_seconds: 600 });
  framed = `/embed/${ORGANIZATION}#token=${shown.token}`;
  refused = `/${new URL(token.url, stage.address).hash}`;
});

after(() => stage?.end());

const link = (organization) => `/#key=${stage.key}&organization=${organization}`;

async function askForKeys(page) {
  await row(page).waitFor();
  await page.keyboard.press("?");
}

async function askToExport(page) {
  await button(page, "Export").first().click();
  await button(page, "Export all events").click();
}

async function saveView(page) {
  await button(page, "Views").first().click();
  await button(page, "Save this as a view…").click();
}

async function refuseSignIn(page) {
  await page.getByLabel("E-mail").fill("nobody@fashion.example");
  await page.getByLabel("Password").fill("not the password");
  await button(page, "Sign in").first().click();
}

/** What axe-core has to say about the page as it is, a line for each kind of fault. */
async function faults(page) {
  const { violations, passes } = await page.evaluate((values) => window.axe.run(document, { runOnly: { type: "tag", values }, resultTypes: ["violations"] }), RULES);
  assert.notEqual(passes.length, 0, "axe-core has judged nothing");
  // A target inside of a shadow root is a way there: its host first.
  const isException = ({ id, target: [way] }) =>
    page.evaluate(([way, exceptions]) => exceptions.some((each) => way.reduce((at, selector) => (at.shadowRoot ?? at).querySelector(selector), document).matches(each)), [[way].flat(), EXCEPTIONS[id] ?? []]);
  const found = [];
  for (const { id, nodes } of violations) {
    for (const { target, failureSummary } of nodes) {
      if (!(await isException({ id, target }))) found.push(`${id}: ${target.flat().join(" ")}: ${failureSummary.replace(/\s+/g, " ")}`);
    }
  }
  return found;
}

for (const viewport of VIEWPORTS) {
  describe(`${viewport.width}×${viewport.height}`, () => {
    const judge = (start, screens) => (t) =>
      stage.onPage(
        start(),
        async (page) => {
          // A tab that has shown a log keeps its key; the ways in are those of one that has not.
          await page.getByRole("heading", { level: 1 }).waitFor();
          for (const [screen, at, act, isThere] of screens) {
            await t.test(screen, async () => {
              // By way of nowhere: a step from a place to its fragment alone would not load the page anew.
              await page.goto("about:blank");
              await page.goto(stage.address + (typeof at === "string" ? at : at()));
              await act?.(page);
              await isThere(page).first().waitFor();
              // A list that waits for its answer is faded, as disabled things are.
              await page.locator(".events.waiting").waitFor({ state: "detached" });
              await page.addScriptTag({ path: AXE });
              for (const colorScheme of ["light", "dark"]) {
                await page.emulateMedia({ colorScheme });
                assert.deepEqual(await faults(page), [], colorScheme);
              }
            });
          }
        },
        { viewport, ...JUDGED },
      );
    test("screens of a log", judge(() => link(ORGANIZATION), INSIDE));
    test("logs of which there is nothing to see", judge(() => "/", EMPTY));
    test("embedded", judge(() => "/", EMBEDDED));
    test("ways in", judge(() => "/", OUTSIDE));
  });
}

test("a fault is found", () =>
  stage.onPage(
    "/",
    async (page) => {
      await heading(page, "Sign in").waitFor();
      await page.addScriptTag({ path: AXE });
      assert.deepEqual(await faults(page), []);
      await page.evaluate(() => document.querySelector("label").remove());
      assert.match((await faults(page)).join("\n"), /^label: /);
    },
    JUDGED,
  ));
