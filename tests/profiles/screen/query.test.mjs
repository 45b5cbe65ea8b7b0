// What the products let their readers search and filter, with each product's own fields, words and buttons.
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import { setStage } from "../../../web/e2e/stage.mjs";
import { setProfile } from "./profile.mjs";

const sarah = { id: "u_81", name: "Sarah Khan", email: "sarah@shop.example" };
const bill = { id: "u_92", name: "Bill Hart", email: "bill@shop.example" };
const target = (type, { id, name, email }) => ({ type, id, name, ...(email === undefined ? {} : { email }) });
const [BRITAIN, AMERICA] = ["203.0.113.24", "198.51.100.7"];

/** Few events of each product, whose counts can be told by reading. */
const EVENTS = {
  ometria: [
    { action: "user.logged_in", actor: bill, context: { ip: AMERICA } },
    { action: "user.created", actor: sarah, targets: [target("user", bill)], context: { ip: BRITAIN } },
    { action: "api_key.created", actor: sarah, targets: [target("api_key", { id: "key_3", name: "Billing integration" })], context: { ip: BRITAIN } },
    { action: "export.requested", actor: bill, targets: [target("report", { id: "r_1", name: "Contacts, Q3" })], context: { ip: AMERICA } },
    { action: "export.requested", actor: sarah, targets: [target("report", { id: "r_1", name: "Contacts, Q3" })], context: { ip: BRITAIN } },
  ],
  moengage: [
    { action: "user.logged_in", actor: sarah },
    { action: "user.logged_in", actor: bill },
    { action: "team.created", actor: sarah, targets: [target("team", { id: "t_7", name: "Lifecycle" })] },
  ],
  "capillary-intouch": [
    { action: "user.standard.added", actor: sarah, targets: [target("user", bill)] },
    { action: "user.standard.removed", actor: sarah, targets: [target("user", bill)] },
    { action: "user.admin.added", actor: bill, targets: [target("user", sarah)] },
    { action: "user.type.changed_to_admin", actor: bill, targets: [target("user", sarah)] },
  ],
};

let stage;
before(async () => {
  stage = await setStage({ environment: { TRAILBOOK_COUNTRY_DATABASE: fileURLToPath(new URL("../../../testdata/documentation.mmdb", import.meta.url)) } });
  for (const [profile, events] of Object.entries(EVENTS)) await setProfile(stage, profile, events);
});
after(() => stage?.end());

const inProfile = (profile, use) => stage.onPage(`/#key={key}&organization=demo&project=${profile}`, async (page) => (await counted(page, EVENTS[profile].length), use(page)));
const counted = (page, count) => page.waitForFunction((wanted) => document.querySelector(".count")?.textContent.startsWith(wanted), `${count} event`);
const box = (page) => page.getByRole("combobox", { name: "Search events" });
const option = (page, name) => page.getByRole("option", { name });
const chip = (page, text) => page.getByRole("group", { name: `Condition ${text}` });
const queried = (page, wanted) => page.waitForFunction((q) => (new URLSearchParams(location.search).get("q") ?? "") === q, wanted);

/** Opens the filter panel; `tick` ticks in its group (or alone) what is called so, and `apply` closes it. */
async function openPanel(page, name) {
  await page.getByRole("button", { name, exact: true }).click();
  const panel = page.getByRole("dialog", { name });
  const group = (label) => panel.getByRole("group", { name: label, exact: true });
  return {
    panel,
    group,
    tick: (label, value) => group(label).getByRole("checkbox", { name: value }).click(),
    offered: async (label) => {
      await group(label).getByRole("checkbox").first().waitFor();
      return group(label).locator(".check .line").allInnerTexts();
    },
    apply: async () => {
      await panel.getByRole("button", { name: "Apply", exact: true }).click();
      await panel.waitFor({ state: "detached" });
    },
  };
}

/** Ticks values of one group, applies them, and waits for so many events. */
async function filter(page, name, label, values, count) {
  const { tick, apply } = await openPanel(page, name);
  for (const value of values) await tick(label, value);
  await apply();
  await counted(page, count);
}

suite("query", () => {
  test("O-19: the search finds activities, targets and addresses, and an address typed by itself is offered as one", () =>
    inProfile("ometria", async (page) => {
      for (const [words, count] of [["requested", 2], ["Contacts", 2], ["integration", 1], [AMERICA, 0]]) {
        await box(page).fill(words);
        await counted(page, count);
      }
      await option(page, `IP address is ${AMERICA}`).click();
      await queried(page, `ip:${AMERICA}`);
      await counted(page, 2);
    }));

  test("O-20: target users and types of activity are offered as one types, and chosen", () =>
    inProfile("ometria", async (page) => {
      await box(page).fill("bil");
      await option(page, /^Target is Billing integration/).waitFor();
      await option(page, /^Target is Bill Hart/).click();
      await counted(page, 1);
      await chip(page, "Target is Bill Hart").waitFor();
      await box(page).fill("creating");
      await option(page, /^Activity is Creating users/).click();
      await queried(page, "action:user.created");
      await counted(page, 1);
    }));

  test("O-21: upper and lower case are the same to the search", () =>
    inProfile("ometria", async (page) => {
      for (const words of ["CONTACTS", "contacts", "Contacts"]) {
        await box(page).fill("nothing has this");
        await counted(page, 0);
        await box(page).fill(words);
        await counted(page, 2);
      }
    }));

  /** A filter of which several values are ticked, and which is then a chip. */
  const offers = (label, values, count, written) => () =>
    inProfile("ometria", async (page) => {
      await filter(page, "Filter", label, values, count);
      await chip(page, written).waitFor();
    });
  test("O-22: the filter Areas", offers("Areas", [/^API keys/, /^Authentication/], 2, "Area is API keys or Authentication"));
  test("O-23: the filter Activities", offers("Activities", [/^Data export requested/, /^Creating users/], 3, "Activity is Data export requested or Creating users"));
  test("O-24: the filter Target", offers("Target", [/^User/, /^Reports/], 3, "Target is User or Reports"));
  test("O-25: the filter Users", offers("Users", [/^Sarah Khan/, /^Bill Hart/], 5, "User is Sarah Khan or Bill Hart"));
  test("O-26: the filter Countries", offers("Countries", [/^United Kingdom/, /^United States/], 5, "Country is United Kingdom or United States"));

  test("O-28: filters combine", () =>
    inProfile("ometria", async (page) => {
      const { tick, apply } = await openPanel(page, "Filter");
      await tick("Users", /^Sarah Khan/);
      await tick("Countries", /^United Kingdom/);
      await tick("Target", /^Reports/);
      await apply();
      await counted(page, 1);
      await filter(page, "Filter", "Activities", [/^Data export requested/], 1);
      await page.getByRole("button", { name: /^Remove the filter User is/ }).click();
      await counted(page, 1);
      await page.getByRole("button", { name: /^Remove the filter Country is/ }).click();
      await counted(page, 2);
    }));

  test("M-9: filters take effect on Apply, not before", () =>
    inProfile("moengage", async (page) => {
      const { panel, tick, apply } = await openPanel(page, "Filter");
      await tick("User", /^Sarah Khan/);
      await panel.getByText("2 events match").waitFor();
      assert.equal(new URL(page.url()).search, "");
      await counted(page, 3);
      await page.keyboard.press("Escape");
      await panel.waitFor({ state: "detached" });
      assert.equal(new URL(page.url()).search, "", "what is not applied is forgotten");
      const again = await openPanel(page, "Filter");
      assert.equal(await again.group("User").getByRole("checkbox", { name: /^Sarah Khan/ }).isChecked(), false);
      await tick("User", /^Sarah Khan/);
      await apply();
      await counted(page, 2);
    }));

  test("M-10: the filter of event types", () =>
    inProfile("moengage", async (page) => {
      await filter(page, "Filter", "Event type", [/^User logged in/], 2);
      await chip(page, "Event type is User logged in").waitFor();
    }));

  test("M-11: the filter of users", () =>
    inProfile("moengage", async (page) => {
      await filter(page, "Filter", "User", [/^Bill Hart/], 1);
      await chip(page, "User is Bill Hart").waitFor();
    }));

  test("C-36, C-49: Additional filters has activity types, users and security actions, with the seven types first", () =>
    inProfile("capillary-intouch", async (page) => {
      const { panel, offered } = await openPanel(page, "Additional filters");
      assert.deepEqual((await offered("Activity")).slice(0, 7), ["Create", "Update", "Delete", "View", "Approve", "Export", "Login"]);
      assert.equal((await offered("User")).length, 2);
      await panel.getByRole("checkbox", { name: "Show only security actions" }).waitFor();
    }));

  test("C-38: each filter is a chip, whose × removes it", () =>
    inProfile("capillary-intouch", async (page) => {
      await filter(page, "Additional filters", "Activity", [/^Create/], 2);
      await filter(page, "Additional filters", "User", [/^Sarah Khan/], 1);
      assert.equal(await page.getByRole("group", { name: /^Condition/ }).count(), 2);
      await page.getByRole("button", { name: "Remove the filter Activity is Create" }).click();
      await counted(page, 2);
      assert.equal(await page.getByRole("group", { name: /^Condition/ }).count(), 1);
    }));

  test("C-39: Clear all removes every filter and shows the full view", () =>
    inProfile("capillary-intouch", async (page) => {
      await page.goto(`${stage.address}/?q=type%3Acreate+-area%3Anone&range=yesterday`);
      await counted(page, 0);
      await page.getByRole("button", { name: "Clear all", exact: true }).click();
      await counted(page, 4);
      assert.equal(new URL(page.url()).search, "");
      assert.equal(await page.getByRole("group", { name: /^Condition/ }).count(), 0);
      assert.equal(await page.getByRole("button", { name: "Clear all", exact: true }).count(), 0);
    }));

  test("C-45: all filters can be applied together", () =>
    inProfile("capillary-intouch", async (page) => {
      const { panel, tick, apply } = await openPanel(page, "Additional filters");
      await tick("Activity", /^Create/);
      await tick("Activity", /^Update/);
      await tick("User", /^Bill Hart/);
      await panel.getByRole("checkbox", { name: "Show only security actions" }).click();
      await apply();
      await counted(page, 2);
      assert.equal(await page.getByRole("group", { name: /^Condition/ }).count(), 3);
    }));

  test("C-50, C-74: a user is searched for and chosen by e-mail address, and the table has what they did", () =>
    inProfile("capillary-intouch", async (page) => {
      const { group, offered, apply, tick } = await openPanel(page, "Additional filters");
      await group("User").getByRole("searchbox").fill("BILL@shop");
      await page.waitForFunction(() => document.querySelectorAll(".filter-panel fieldset:nth-of-type(2) .check").length === 1);
      assert.match((await offered("User"))[0], /Bill Hart.*bill@shop\.example/);
      await tick("User", /^Bill Hart/);
      await apply();
      await counted(page, 2);
      await page.getByRole("button", { name: "Clear all", exact: true }).click();
      await box(page).fill("actor:sarah@shop.example");
      await counted(page, 2);
    }));

  test("C-51, C-54: security only shows only security actions, and is a chip", () =>
    inProfile("capillary-intouch", async (page) => {
      const { panel, apply } = await openPanel(page, "Additional filters");
      await panel.getByRole("checkbox", { name: "Show only security actions" }).click();
      await apply();
      await counted(page, 2);
      await chip(page, "Security actions only").waitFor();
      await page.waitForFunction(() => document.querySelectorAll("[data-event]").length === 2);
    }));

  test("C-52: Apply closes the panel and refreshes the table", () =>
    inProfile("capillary-intouch", async (page) => {
      await filter(page, "Additional filters", "Activity", [/^Delete/], 1);
      await page.getByText("Removed standard user").first().waitFor();
      await page.waitForFunction(() => document.querySelectorAll("[data-event]").length === 1);
    }));

  test("C-53: Clear all in the panel resets the filters", () =>
    inProfile("capillary-intouch", async (page) => {
      await filter(page, "Additional filters", "Activity", [/^Delete/], 1);
      const { panel } = await openPanel(page, "Additional filters");
      await panel.getByRole("button", { name: "Clear all" }).click();
      await panel.waitFor({ state: "detached" });
      await counted(page, 4);
      const again = await openPanel(page, "Additional filters");
      await again.offered("Activity");
      assert.equal(await again.panel.getByRole("checkbox", { checked: true }).count(), 0);
    }));

  test("C-55: the chip of an activity filter has the count of results", () =>
    inProfile("capillary-intouch", async (page) => {
      await filter(page, "Additional filters", "Activity", [/^Create/, /^Delete/], 3);
      const filtered = chip(page, "Activity is Create or Delete");
      await filtered.locator(".chip-count", { hasText: /^3/ }).waitFor();
    }));
});
