// The search box, its completion, the chips and the filter panel, in a real browser against the real binary.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setStage } from "./stage.mjs";

const ORGANIZATION = "fashion";
const SIGNED_IN = `#key={key}&organization=${ORGANIZATION}`;

const sarah = { id: "u_81", name: "Sarah Khan", email: "sarah.k@fashion.example", team: "Growth" };
const omar = { id: "u_7", name: "Omar Aziz", email: "omar@fashion.example" };
const bill = { type: "user", id: "u_92", name: "Bill Hart", email: "bill@fashion.example" };
const EVENTS = [
  { action: "user.login", action_type: "login", area: "sign_in", description: "Logged in", actor: omar, context: { ip: "198.51.100.7" } },
  { action: "user.login", action_type: "login", area: "sign_in", description: "Failed password", result: "failure", actor: omar, context: { ip: "198.51.100.7" } },
  { action: "user.role.updated", action_type: "update", area: "users", description: "Made organization owner", security: true, actor: sarah, targets: [bill], context: { ip: "203.0.113.24" }, metadata: { plan: "gold" } },
  { action: "user.created", action_type: "create", area: "users", description: "Invited Bill", actor: sarah, targets: [bill], context: { ip: "203.0.113.24" } },
  { action: "report.exported", action_type: "export", area: "reporting", description: "Exported Q3", actor: sarah, targets: [{ type: "report", id: "r_3", name: "Billing, Q3" }], context: { ip: "203.0.113.80" } },
  { action: "report.deleted", action_type: "delete", area: "reporting", description: "Deleted Q2", actor: omar, targets: [{ type: "report", id: "r_2", name: "Q2" }], context: { ip: "2001:db8:7::1f" } },
];

let stage;
before(async () => {
  stage = await setStage();
  const now = Date.now();
  const events = EVENTS.map((event, place) => ({ organization: ORGANIZATION, ...event, occurred_at: new Date(now - (EVENTS.length - place) * 60_000).toISOString() }));
  await stage.call("POST", "/v1/events", { events });
});
after(() => stage?.end());

const onPage = (path, use, options) => stage.onPage(path, use, options);
const counted = (page, count) => page.waitForFunction((wanted) => document.querySelector(".count")?.textContent.startsWith(wanted), `${count} event`);
const box = (page) => page.getByRole("combobox", { name: "Search events" });
const option = (page, name) => page.getByRole("option", { name });
const chip = (page, text) => page.getByRole("group", { name: `Condition ${text}` });
const query = (page) => new URL(page.url()).searchParams.get("q") ?? "";
const queried = (page, wanted) => page.waitForFunction((q) => (new URLSearchParams(location.search).get("q") ?? "") === q, wanted);
const focusedName = (page) => page.evaluate(() => document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.textContent);

describe("query", () => {
  test("detail 3: / goes to the search, f adds a filter by the keyboard alone, Escape leaves", () =>
    onPage(`/${SIGNED_IN}`, async (page) => {
      await counted(page, 6);
      await page.keyboard.press("/");
      assert.equal(await focusedName(page), "Search events");
      await page.getByRole("listbox", { name: "Suggestions" }).waitFor();
      await page.keyboard.press("Escape");
      await page.getByRole("listbox").waitFor({ state: "detached" });
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: "Add filter" }).waitFor();
      await page.keyboard.press("f");
      await page.getByRole("searchbox", { name: "Find a field" }).waitFor();
      await page.keyboard.type("ar");
      await page.keyboard.press("Enter");
      await page.getByRole("button", { name: /^Users\b/ }).waitFor();
      await page.keyboard.press("ArrowDown");
      await page.keyboard.press("Enter");
      await queried(page, "area:reporting");
      await page.keyboard.press("Escape");
      await counted(page, 2);
      assert.equal(await focusedName(page), "+ Add filter");
    }));

  test("detail 4: text and chips are one query, and what no chip can say survives edits of either", () =>
    onPage(`/${SIGNED_IN}`, async (page) => {
      await counted(page, 6);
      await box(page).fill('type:update,create "organization owner" (role OR invited)');
      await counted(page, 1);
      await chip(page, "Type is Update or Create").waitFor();
      await chip(page, "(role OR invited)").waitFor();
      await page.getByRole("button", { name: "is. Change to is not" }).click();
      assert.equal(await box(page).inputValue(), '-type:update,create "organization owner" (role OR invited)');
      await counted(page, 0);
      await page.getByRole("button", { name: "Remove the filter Type is not Update or Create" }).click();
      assert.equal(await box(page).inputValue(), '"organization owner" (role OR invited)');
      await counted(page, 1);
      await page.getByRole("button", { name: "Edit (role OR invited) in the search" }).click();
      assert.equal(await page.evaluate(() => getSelection().toString()), "(role OR invited)");
      await page.keyboard.type("security:true");
      await chip(page, "Security actions only").waitFor();
      assert.equal(query(page), '"organization owner" security:true');
      await page.goBack();
      await counted(page, 1);
      assert.equal(await box(page).inputValue(), '"organization owner" (role OR invited)');
    }));

  test("detail 5: fields, then what is to hold, then values with counts of this range, by the keyboard, with its keys named", () =>
    onPage(`/?q=area%3Ausers${SIGNED_IN}`, async (page) => {
      await counted(page, 2);
      await box(page).focus();
      await page.keyboard.press("End");
      await page.keyboard.type(" ty");
      await option(page, /^Type/).waitFor();
      await page.keyboard.press("ArrowDown");
      await page.waitForFunction(() => document.getElementById(document.activeElement.getAttribute("aria-activedescendant"))?.textContent.startsWith("Type"));
      await page.keyboard.press("Enter");
      for (const name of ["Type is type:", "Type is not -type:", "Type has any type:*", "Type has none -type:*"]) await option(page, name).waitFor();
      await page.keyboard.press("ArrowDown");
      await page.keyboard.press("Tab");
      assert.equal(await box(page).inputValue(), "area:users type:");
      await queried(page, "area:users");
      await counted(page, 2);
      // Of six events two are in the area: the values of others have no place here.
      await option(page, "Update 1").waitFor();
      await option(page, "Create 1").waitFor();
      assert.equal(await option(page, /Login [1-9]/).count(), 0);
      assert.match(await page.locator(".completion-hints").textContent(), /move.*search.*another value.*close/);
      await page.keyboard.type("up");
      await page.keyboard.press("ArrowDown");
      await page.keyboard.press("Enter");
      await queried(page, "area:users type:update");
      await counted(page, 1);
      assert.equal(await box(page).inputValue(), "area:users type:update ");
    }));

  test("detail 6: a fault is marked under its character, in the field and below, and the last good results stay", () =>
    onPage(`/?q=actor%3Au_81${SIGNED_IN}`, async (page) => {
      await counted(page, 3);
      await box(page).fill("actor:u_81 foo:bar");
      const alert = page.getByRole("alert");
      await alert.waitFor();
      assert.match(await alert.textContent(), /column 12\b/i);
      const mark = page.locator(".search-marked mark");
      assert.equal(await mark.textContent(), "f");
      const [marked, shown] = await Promise.all([mark.boundingBox(), box(page).boundingBox()]);
      assert.ok(marked.x > shown.x + 20 && marked.x < shown.x + 200 && Math.abs(marked.y + marked.height / 2 - shown.y - shown.height / 2) < 8, JSON.stringify({ marked, shown }));
      assert.equal(await box(page).getAttribute("aria-invalid"), "true");
      assert.equal(await page.locator("[data-event]").count(), 3);
      await box(page).fill("actor:u_81 area:");
      await page.keyboard.press("Enter");
      await page.waitForFunction(() => /column 17\b/i.test(document.querySelector("[role=alert]")?.textContent));
      await page.getByRole("button", { name: "Clear the search" }).click();
      await counted(page, 6);
      await alert.waitFor({ state: "detached" });
    }));

  test("detail 8: what is left out says so in words and by a sign, not only by colour", () =>
    onPage(`/?q=area%3Ausers+-type%3Acreate+-security%3Atrue${SIGNED_IN}`, async (page) => {
      await counted(page, 0);
      const [area, type] = [chip(page, "Area is Users"), chip(page, "Type is not Create")];
      assert.match(await type.textContent(), /is not/);
      assert.deepEqual([await area.locator(".relation svg").count(), await type.locator(".relation svg").count()], [0, 1]);
      const border = (locator) => locator.evaluate((element) => getComputedStyle(element).borderStyle);
      assert.notEqual(await border(area), await border(type));
      await chip(page, "Security actions left out").waitFor();
    }));

  test("detail 9: parts of a chip are edited where they stand, and Backspace selects the last one before it removes it", () =>
    onPage(`/?q=area%3Ausers+type%3Aupdate${SIGNED_IN}`, async (page) => {
      await counted(page, 1);
      await page.getByRole("button", { name: "Values: Update. Change them" }).click();
      await page.getByRole("button", { name: /^Create/ }).click();
      await queried(page, "area:users type:update,create");
      await counted(page, 2);
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: "Field: Area. Change it" }).click();
      await page.getByRole("searchbox", { name: "Find a field" }).waitFor();
      await page.keyboard.type("target type");
      await page.keyboard.press("Enter");
      await queried(page, "target_type:users type:update,create");
      await page.getByRole("button", { name: "Values: Users. Change them" }).click();
      await page.getByRole("searchbox", { name: "Find, or type a value" }).waitFor();
      await page.keyboard.type("us");
      await page.getByRole("button", { name: /^User\b/ }).waitFor();
      await page.keyboard.press("Enter");
      await queried(page, "target_type:users,user type:update,create");

      await box(page).focus();
      await page.keyboard.press("End");
      await page.keyboard.type(" ");
      await page.keyboard.press("Backspace");
      assert.equal(await chip(page, "Type is Update or Create").getAttribute("data-picked"), "true");
      assert.equal(query(page), "target_type:users,user type:update,create");
      await page.keyboard.press("Backspace");
      await queried(page, "target_type:users,user");
      await page.getByRole("button", { name: "Remove the filter Target type is Users or User" }).focus();
      await page.keyboard.press("Backspace");
      await page.getByText("Press Backspace again").waitFor({ state: "attached" });
      assert.equal(query(page), "target_type:users,user");
      await page.keyboard.press("Backspace");
      await queried(page, "");
      await counted(page, 6);
      assert.equal(await focusedName(page), "+ Add filter", "the focus is not lost with the chip");
    }));

  test("an editor at the edge of the screen stays within it", () =>
    onPage(
      `/?q=actor_type%3Auser+actor%3Au_81+result%3Asuccess${SIGNED_IN}`,
      async (page) => {
        await counted(page, 3);
        await page.getByRole("button", { name: "Values: Success. Change them" }).click();
        const { x, width } = await page.locator(".condition-editor").boundingBox();
        assert.ok(x >= 0 && x + width <= 800, `${x} and ${width}`);
      },
      { viewport: { width: 800, height: 700 } },
    ));

  test("detail 10: ready questions are asked by one choice", () =>
    onPage(`/${SIGNED_IN}`, async (page) => {
      const asked = [
        ["Sign-ins that failed", 1],
        ["Changes of permissions and roles", 1],
        ["Exports", 1],
        ["API keys, used or changed", 0],
        ["Deletions", 1],
      ];
      for (const [name, count] of asked) {
        await counted(page, 6);
        await box(page).click();
        await option(page, new RegExp(`^${name}`)).click();
        await counted(page, count);
        await page.getByRole("button", { name: "Clear the search" }).click();
      }
    }));

  test("detail 10: whoever is signed in can ask for what they did themselves", async () => {
    const [organization, password] = ["people", "correct horse battery staple"];
    await stage.call("POST", "/v1/events", { events: [sarah, omar, sarah].map((actor) => ({ organization, action: "door.opened", actor })) });
    await stage.call("POST", `/v1/organizations/${organization}/users`, { email: sarah.email, name: "Another name", role: "auditor", password });
    await onPage("/", async (page) => {
      await page.getByLabel("E-mail").fill(sarah.email);
      await page.getByLabel("Password").fill(password);
      await page.getByRole("button", { name: "Sign in", exact: true }).click();
      await box(page).click();
      await option(page, /^My own activity/).click();
      await queried(page, `actor:${sarah.email}`);
      await page.waitForFunction(() => [...document.querySelectorAll("[data-event]")].filter((row) => row.textContent.includes("door.opened")).length === 2);
    });
  });

  test("reads that a policy leaves out are left out of counts, and can be chosen", async () => {
    const event = { organization: "quiet", actor: sarah };
    const [read, update] = [{ ...event, action: "list.read", action_type: "read" }, { ...event, action: "list.updated", action_type: "update" }];
    await stage.call("POST", "/v1/events", { events: [read, read, update] });
    await stage.call("PUT", "/v1/organizations/quiet", { policy: { hide_reads: true } });
    await onPage(`/?q=actor%3Au_81#key={key}&organization=quiet`, async (page) => {
      await counted(page, 1);
      await chip(page, "User is Sarah Khan").locator(".chip-count", { hasText: /^1/ }).waitFor();
      await page.getByRole("button", { name: "Filter", exact: true }).click();
      const panel = page.getByRole("dialog", { name: "Filter" });
      await panel.getByText("1 event matches").waitFor();
      await panel.getByRole("checkbox", { name: /^View 2/ }).click();
      await panel.getByText("2 events match").waitFor();
      await panel.getByRole("button", { name: "Apply" }).click();
      await counted(page, 2);
    });
  });

  test("an address typed by itself is offered as one", () =>
    onPage(`/${SIGNED_IN}`, async (page) => {
      await counted(page, 6);
      for (const [typed, written, count] of [["203.0.113.24", "ip:203.0.113.24", 2], ["203.0.113.0/24", "ip:203.0.113.0/24", 3], ["203.0.", "ip:203.0.*", 3], ["2001:db8:7::1f", "ip:2001:db8:7::1f", 1]]) {
        await box(page).fill(typed);
        await option(page, `IP address is ${typed}`).click();
        await queried(page, written);
        await counted(page, count);
      }
    }));

  test("a half-typed name offers people, targets and activities, and people also by their e-mail address", () =>
    onPage(`/${SIGNED_IN}`, async (page) => {
      await counted(page, 6);
      await box(page).fill("bil");
      await option(page, /^Target is Bill Hart/).waitFor();
      await option(page, /^Target is Billing, Q3/).click();
      await queried(page, "target:r_3");
      await counted(page, 1);
      await chip(page, "Target is Billing, Q3").waitFor();
      await box(page).fill("sarah.k@");
      await option(page, /^User is Sarah Khan sarah\.k@fashion\.example 3/).click();
      await queried(page, "actor:u_81");
      await counted(page, 3);
    }));

  test("the panel is a sheet on a phone, and nothing of the query reaches beyond the screen", () =>
    onPage(
      `/?q=area%3Ausers%2Creporting%2Csign_in+-type%3Acreate${SIGNED_IN}`,
      async (page) => {
        await counted(page, 5);
        const within = async () => assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0);
        await page.getByRole("button", { name: "Values: Create. Change them" }).click();
        await page.getByRole("searchbox").waitFor();
        await within();
        await page.keyboard.press("Escape");
        await page.getByRole("button", { name: "Filter", exact: true }).click();
        const panel = page.getByRole("dialog", { name: "Filter" });
        await panel.getByRole("checkbox", { name: /^Update/ }).waitFor();
        await page.waitForFunction(() => Math.abs(document.querySelector(".filter-panel").getBoundingClientRect().bottom - innerHeight) < 1);
        const place = await panel.boundingBox();
        assert.deepEqual([place.x, place.width], [0, 390]);
        await within();
      },
      { viewport: { width: 390, height: 844 } },
    ));
});
