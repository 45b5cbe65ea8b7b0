// One event in a real browser against the real binary: what the panel says, leads to, copies and proves.
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { setStage } from "./stage.mjs";

const ORGANIZATION = "fashion";
const OF = `/v1/organizations/${ORGANIZATION}`;
const SIGNED_IN = `#key={key}&organization=${ORGANIZATION}`;
const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";

const ana = { id: "u_1", name: "Ana Lima", email: "ana@fashion.example", team: "Growth" };
const omar = { id: "u_7", name: "Omar Aziz", email: "omar@fashion.example" };
const kofi = { type: "user", id: "u_9", name: "Kofi", email: "kofi@fashion.example" };
const EVENTS = [
  { action: "user.login", action_type: "login", description: "Logged in", actor: ana, context: { ip: "198.51.100.7" }, trace_id: TRACE, after: 0 },
  {
    action: "group.member.removed",
    action_type: "update",
    area: "users_and_permissions",
    description: "Ana Lima removed Kofi from Finance",
    actor: ana,
    targets: [kofi],
    changes: [
      { field: "role", before: "administrator", after: "member" },
      { field: "can_export", before: true },
      { field: "note", after: "=1+1" },
    ],
    context: { ip: "203.0.113.24" },
    trace_id: TRACE,
    metadata: { session_id: "s_1", plan: { tier: "gold" } },
    after: 4_000,
  },
  { action: "report.read", action_type: "read", description: "Looked at a report", actor: ana, metadata: { session_id: "s_1" }, trace_id: TRACE, after: 6_000 },
  { action: "user.deleted", action_type: "delete", description: "User deleted", actor: omar, targets: [kofi], after: 20_000 },
];

let stage;
before(async () => {
  stage = await setStage();
  const begin = Date.now() - 600_000;
  await stage.call("POST", "/v1/events", {
    events: EVENTS.map(({ after: ms, ...event }) => ({ organization: ORGANIZATION, ...event, occurred_at: new Date(begin + ms).toISOString() })),
  });
});
after(() => stage?.end());

const panelOf = (page) => page.getByRole("complementary", { name: "Event" });
const rows = (page, count) => page.waitForFunction((wanted) => document.querySelectorAll("tr.event").length === wanted, count);
const heading = (page, name) => page.getByRole("heading", { level: 2, name }).waitFor();

/** The screen with one event opened from the list. */
const onEvent = (text, use, options) =>
  stage.onPage(
    `/${SIGNED_IN}`,
    async (page) => {
      await rows(page, EVENTS.length);
      await page.locator(".open-event").filter({ hasText: text }).click();
      await panelOf(page).locator(".proof").waitFor();
      await use(page, panelOf(page));
    },
    options,
  );

suite("detail", () => {
  test("detail 18: it opens beside the list, has a link of its own, and j and k go on through the list", () =>
    onEvent("User deleted", async (page) => {
      await page.keyboard.press("j");
      await heading(page, "Looked at a report");
      await page.keyboard.press("j");
      await heading(page, "Ana Lima removed Kofi from Finance");
      await page.keyboard.press("k");
      await heading(page, "Looked at a report");
      const link = page.url();
      assert.match(link, /[?&]event=[0-9a-f-]{36}/);
      await page.goto(`${link}&q=action%3Auser.deleted`);
      await heading(page, "Looked at a report");
      await rows(page, 1);
      await page.keyboard.press("Escape");
      await panelOf(page).waitFor({ state: "detached" });
      assert.equal(new URL(page.url()).searchParams.has("event"), false);
    }));

  test("detail 18: the list stays where it was scrolled to", () =>
    onEvent(
      "User deleted",
      async (page) => {
        const scrolled = () => page.evaluate(() => scrollY);
        await page.keyboard.press("Escape");
        await panelOf(page).waitFor({ state: "detached" });
        const row = page.locator(".open-event").filter({ hasText: "Logged in" });
        await row.scrollIntoViewIfNeeded();
        const before = await scrolled();
        assert.ok(before > 0);
        await row.click();
        await panelOf(page).waitFor();
        assert.equal(await scrolled(), before);
      },
      { viewport: { width: 1440, height: 420 } },
    ));

  test("detail 19, R-18: changes are told apart as added, removed and changed, field by field; JSON is one press away", () =>
    onEvent("Kofi", async (page, panel) => {
      const row = (name) => panel.locator(".diff tr").filter({ has: page.getByRole("rowheader", { name }) });
      assert.match(await row("role").innerText(), /changed[\s\S]*administrator[\s\S]*member/);
      assert.match(await row("can_export").innerText(), /removed[\s\S]*true[\s\S]*did not exist/);
      assert.match(await row("note").innerText(), /added[\s\S]*did not exist[\s\S]*=1\+1/);
      const sign = (cell) => cell.evaluate((found) => getComputedStyle(found.firstElementChild, "::before").content);
      assert.deepEqual([await sign(row("role").locator(".before")), await sign(row("role").locator(".after"))], ['"− "', '"+ "']);
      await panel.getByRole("button", { name: "JSON", exact: true }).click();
      assert.match(await panel.locator(".changes pre").innerText(), /"before": "administrator"/);
    }));

  test("detail 19: what was redacted is said to be, and the proof of the rest holds", async () => {
    const [{ id }] = (await stage.call("POST", "/v1/events", { organization: "secrets", action: "secret.changed", description: "Changed a secret", actor: omar, changes: [{ field: "secret", before: "a", after: "b" }] })).events;
    await stage.call("POST", `/v1/organizations/secrets/events/${id}/redaction`, { parts: ["details"], reason: "Asked for" });
    await stage.onPage(`/?event=${id}#key={key}&organization=secrets`, async (page) => {
      await panelOf(page).getByText("Removed from the log on purpose.").waitFor();
      const verdict = panelOf(page).locator('.proof[data-verdict="holds"]');
      await verdict.getByText("Included. The rest is unaltered; of changes and metadata nothing is proven.").waitFor();
      assert.doesNotMatch(await verdict.innerText(), /Included and unaltered/);
    });
  });

  test("where the organization has words of its own, the verdict says that the record is what is proven", async () => {
    const [{ id }] = (await stage.call("POST", "/v1/events", { organization: "worded", action: "plan.changed", actor: omar, changes: [{ field: "plan", before: "a", after: "b" }] })).events;
    await stage.onPage(`/?event=${id}#key={key}&organization=worded`, async (page) => {
      const verdict = panelOf(page).locator('.proof[data-verdict="holds"]');
      await verdict.waitFor();
      assert.doesNotMatch(await verdict.innerText(), /What is proven is the record/);
      await stage.call("PUT", "/v1/organizations/worded", { policy: { labels: { values: { plan: { b: "Harmless" } } } } });
      await page.reload();
      await panelOf(page).getByText("Harmless").first().waitFor();
      await verdict.getByText("What is proven is the record as it stands under “Activity details (JSON)”.").waitFor();
    });
  });

  test("detail 20: the sentence comes first, and whom it names leads to their history", () =>
    onEvent("Kofi", async (page, panel) => {
      assert.equal(await panel.getByRole("heading", { level: 2 }).innerText(), "Ana Lima removed Kofi from Finance");
      await panel.getByRole("heading", { level: 2 }).getByRole("link", { name: "Kofi" }).click();
      await rows(page, 2);
      assert.equal(new URL(page.url()).searchParams.get("q"), "target:u_9");
      await page.goBack();
      await panel.getByRole("heading", { level: 2 }).getByRole("link", { name: "Ana Lima" }).click();
      await rows(page, 3);
      await page.goBack();
      await page.locator(".open-event").filter({ hasText: "User deleted" }).click();
      assert.equal(await panel.locator(".byline").innerText(), "By Omar Aziz on Kofi");
    }));

  test("detail 21: who did it tells, at a press, when and from where they were last seen and what else is of that session", () =>
    onEvent("Kofi", async (page, panel) => {
      await panel.getByRole("button", { name: "About Ana Lima" }).click();
      const box = panel.locator(".peek-box");
      await box.getByText("Last seen").waitFor();
      const text = await box.innerText();
      for (const wanted of ["203.0.113.24", "198.51.100.7", "3 events", "min ago"]) assert.ok(text.includes(wanted), `${wanted} is not in ${text}`);
      await box.getByRole("link", { name: /same metadata|same session/i }).click();
      await rows(page, 2);
      assert.equal(new URL(page.url()).searchParams.get("q"), "metadata.session_id:s_1");
    }));

  test("detail 22: it is copied as a link, id, JSON, command and row, and what was copied is said", () =>
    onEvent(
      "Kofi",
      async (page, panel) => {
        const copied = async (way) => {
          await panel.getByRole("button", { name: "Copy as" }).click();
          await panel.getByRole("button", { name: way, exact: true }).and(panel.locator(".menu-item")).click();
          await panel.getByRole("status").filter({ hasText: `Copied: ${way}` }).waitFor();
          return page.evaluate(() => navigator.clipboard.readText());
        };
        const id = new URL(page.url()).searchParams.get("event");
        assert.equal(await copied("Link"), `${stage.address}/?event=${id}`);
        assert.equal(await copied("Log ID"), id);
        assert.equal(JSON.parse(await copied("JSON")).targets[0].name, "Kofi");
        const command = await copied("cURL");
        assert.ok(command.includes(`'${stage.address}${OF}/events/${id}'`) && !command.includes(stage.key), command);
        assert.ok((await copied("CSV row")).includes(`,Ana Lima removed Kofi from Finance,Kofi,203.0.113.24,`));
      },
      { permissions: ["clipboard-read", "clipboard-write"] },
    ));

  test("what a value is narrows the list to it, also within the metadata", () =>
    onEvent("Kofi", async (page, panel) => {
      await panel.getByText("gold", { exact: true }).hover();
      await panel.getByRole("button", { name: /^Only .* gold$/ }).click();
      await rows(page, 1);
      assert.equal(new URL(page.url()).searchParams.get("q"), "metadata.plan.tier:gold");
    }));

  test("a trace is a page of its own with every step, its time and the event that is picked", () =>
    onEvent("Kofi", async (page, panel) => {
      await panel.getByText("Same trace · 3 events in 6.0 s").waitFor();
      await panel.getByRole("link", { name: "Open trace" }).click();
      await page.waitForURL(new RegExp(`/traces/${TRACE}`));
      const steps = page.getByRole("region", { name: "Steps, oldest first" }).getByRole("button");
      await steps.nth(2).waitFor();
      assert.deepEqual(await steps.locator("bdi").allInnerTexts(), ["Logged in", "Ana Lima", "Ana Lima removed Kofi from Finance", "Ana Lima", "Looked at a report", "Ana Lima"]);
      assert.match(await steps.nth(1).innerText(), /4\.0 s after the beginning, 2\.0 s until the next/);
      const [first, second] = await Promise.all([0, 1].map((place) => steps.nth(place).locator(".track i").boundingBox()));
      assert.ok(second.x > first.x && first.width > second.width, "bars do not show the time");
      await steps.nth(1).click();
      await panelOf(page).locator('.proof[data-verdict="holds"]').waitFor();
      await page.reload();
      await heading(page, "Ana Lima removed Kofi from Finance");
      await page.getByRole("link", { name: "Show in the list" }).click();
      await rows(page, 3);
    }));
});

test("names that browsers have of their own are names of fields like others: the event is drawn as it is, and its proof holds", async () => {
  const organization = "names";
  const metadata = JSON.parse('{"__proto__":{"plan":"gold"},"constructor":"metal","plain":"x"}');
  const changes = [{ field: "expires_at", before: "never", after: 90 }, { field: "constructor", after: "create" }, { field: "__proto__", before: "name" }];
  await stage.call("POST", "/v1/events", { events: [{ organization, action: "constructor", description: "Odd names", actor: ana, changes, metadata }] });
  await stage.onPage(`/#key={key}&organization=${organization}`, async (page) => {
    await page.locator(".open-event").filter({ hasText: "Odd names" }).click();
    await page.locator('.proof[data-verdict="holds"]').waitFor();
    const table = await panelOf(page).getByRole("table").first().innerText();
    for (const text of ["expires_at", "never", "90", "constructor", "create", "__proto__", "name"]) assert.ok(table.includes(text), text);
    // Another event makes the list anew; what is shown of the first one stays what it is.
    await stage.call("POST", "/v1/events", { events: [{ organization, action: "later", description: "Later", actor: ana }] });
    await page.getByText("Later", { exact: true }).first().waitFor();
    await page.reload();
    await page.locator('.proof[data-verdict="holds"]').waitFor();
    assert.match(await panelOf(page).locator("pre").first().innerText(), /"__proto__": \{\s+"plan": "gold"/);
  });
});
