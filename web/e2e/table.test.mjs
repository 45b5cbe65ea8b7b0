// The list of events: its columns, values, keys and thousands of rows, in a real browser against the real binary; stage.mjs says what it needs.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setStage } from "./stage.mjs";

const HOUR = 3_600_000;
const people = [
  { id: "u_1", name: "Sarah Khan", email: "sarah@fashion.example", team: "Growth" },
  { id: "u_2", name: "Omar Aziz", email: "omar@fashion.example" },
  { type: "service", id: "provisioner" },
];
const TYPES = ["create", "update", "delete", "export"];
/** The event that happened `hours` ago. */
const eventOf = (hours) => ({
  action: `report.${TYPES[hours % 4]}d`,
  action_type: TYPES[hours % 4],
  description: `Report ${hours} was written about the customers of the last quarter, with everything that they have ever bought in any of the shops`,
  security: hours % 5 === 0,
  actor: people[hours % 3],
  targets: [{ type: "report", id: `r_${hours}`, name: `Quarter ${hours}` }],
  context: { ip: `203.0.113.${hours % 200}` },
  metadata: { plan: { tier: hours % 2 === 0 ? "gold" : "tin" } },
  occurred_at: new Date(Date.now() - hours * HOUR).toISOString(),
});

let stage;
before(async () => {
  stage = await setStage();
  await post("few", range(6));
  await post("many", range(1_200));
});
after(() => stage?.end());

const range = (count) => Array.from({ length: count }, (_, hours) => eventOf(hours));

async function post(organization, events) {
  await stage.call("POST", "/v1/events", { events: events.map((event) => ({ organization, ...event })) });
}

const at = (organization, search = "") => `/${search}#key={key}&organization=${organization}`;
const onPage = (path, use, options) => stage.onPage(path, use, { permissions: ["clipboard-read", "clipboard-write"], ...options });
const rows = (page, count) => page.waitForFunction((wanted) => document.querySelectorAll("tr.event").length === wanted, count);
const parameter = (page, name) => new URL(page.url()).searchParams.get(name);
const query = (page, wanted) => page.waitForFunction((text) => (new URL(location.href).searchParams.get("q") ?? "") === text, wanted);
const heads = (page) => page.locator("thead th").evaluateAll((all) => all.map((head) => head.textContent.trim()));
const isHeads = (page, wanted) => page.waitForFunction((text) => [...document.querySelectorAll("thead th")].map((head) => head.textContent.trim()).join() === text, wanted.join());
const focused = (page) => page.evaluate(() => document.activeElement?.textContent ?? "");
const clipboard = (page) => page.evaluate(() => navigator.clipboard.readText());
const cell = (page, row, column) => page.locator("tr.event").nth(row).locator("td").nth(column);
const openColumns = (page) => page.getByRole("button", { name: "Columns", exact: true }).click();

describe("values", () => {
  test("detail 7: a click on a value offers to filter for it, to filter it out, to show only it, and to copy it", () =>
    onPage(at("few"), async (page) => {
      await rows(page, 6);
      const offer = async (row, name) => {
        await cell(page, row, 1).getByRole("button").first().click();
        return page.getByRole("menu").getByRole("menuitem", { name }).click();
      };
      await offer(0, "Filter for");
      await query(page, "actor:u_1");
      await rows(page, 2);
      await page.goBack();
      await rows(page, 6);
      await offer(0, "Filter out");
      await query(page, "-actor:u_1");
      await rows(page, 4);
      await offer(0, "Filter for");
      await query(page, "-actor:u_1 actor:u_2");
      await offer(0, "Only this");
      await query(page, "actor:u_2");
      await rows(page, 2);
      await offer(0, "Copy");
      await page.getByRole("status").filter({ hasText: "Copied" }).waitFor();
      assert.equal(await clipboard(page), "Omar Aziz");
      assert.equal(parameter(page, "event"), null);
    }));

  test("detail 7, detail 3: Enter does so too, arrows go through values and rows, and x leaves out what has the focus", () =>
    onPage(at("few"), async (page) => {
      await rows(page, 6);
      await page.keyboard.press("j");
      assert.match(await focused(page), /^Report 0 /);
      await page.keyboard.press("ArrowRight");
      assert.equal(await focused(page), "Create");
      await page.keyboard.press("ArrowDown");
      assert.equal(await focused(page), "Update");
      await page.keyboard.press("Enter");
      const menu = page.getByRole("menu");
      await menu.waitFor();
      await page.waitForFunction(() => document.activeElement?.getAttribute("role") === "menuitem");
      await page.keyboard.press("ArrowDown");
      assert.match(await focused(page), /Filter out/);
      await page.keyboard.press("Escape");
      await menu.waitFor({ state: "detached" });
      assert.equal(await focused(page), "Update");
      await page.keyboard.press("x");
      await query(page, "-type:update");
      await rows(page, 4);
    }));

  test("detail 3: j and k move, Enter opens, Esc closes, and the focus is where it was", () =>
    onPage(at("few"), async (page) => {
      await rows(page, 6);
      for (const key of ["j", "j", "j", "k", "Enter"]) await page.keyboard.press(key);
      await page.getByRole("complementary").waitFor();
      assert.match(await focused(page), /^Report 1 /);
      await page.keyboard.press("Escape");
      await page.getByRole("complementary").waitFor({ state: "detached" });
      assert.match(await focused(page), /^Report 1 /);
    }));

  test("detail 3: ? lists the keys", () =>
    onPage(at("few"), async (page) => {
      await rows(page, 6);
      await page.keyboard.press("?");
      const dialog = page.getByRole("dialog", { name: "Keyboard" });
      await dialog.waitFor();
      assert.deepEqual(await dialog.locator("kbd").allInnerTexts(), ["/", "f", "j", "k", "←", "→", "Enter", "x", "Esc", "?"]);
      for (const name of ["Search", "Add a filter", "Next and previous event", "Open the event", "Leave out events with the value that has the focus"]) {
        await dialog.getByRole("definition").filter({ hasText: name }).waitFor();
      }
      await page.keyboard.press("Escape");
      await dialog.waitFor({ state: "detached" });
    }));

  test("detail 13: a time tells UTC, the organization's zone, the reader's own and how long ago, and is copied as ISO 8601", () =>
    onPage(
      at("few"),
      async (page) => {
        await rows(page, 6);
        assert.match((await heads(page))[0], /UTC$/);
        const time = cell(page, 3, 0).locator("time");
        const instant = await time.getAttribute("datetime");
        assert.equal(await time.textContent(), instant.slice(11, 19));
        await time.hover();
        const card = page.getByRole("group", { name: "Time", exact: true });
        await card.waitFor();
        const text = await card.innerText();
        assert.match(text, new RegExp(`UTC\\s+.* ${instant.slice(11, 23).replaceAll(".", "\\.")}`));
        assert.match(text, /Here, Asia\/Tokyo/);
        assert.match(text, /3 h ago|Yesterday/);
        await page.mouse.move(5, 5);
        await card.waitFor({ state: "detached" });
        // By the keyboard: the focus shows it, Enter goes into it.
        await cell(page, 3, 2).getByRole("button").first().focus();
        await page.keyboard.press("ArrowLeft");
        await page.keyboard.press("ArrowLeft");
        await page.keyboard.press("ArrowLeft");
        await card.waitFor();
        await page.keyboard.press("Enter");
        await page.waitForFunction(() => document.activeElement?.textContent.startsWith("Copy as"));
        await page.keyboard.press("Enter");
        await page.getByRole("status").filter({ hasText: "Copied" }).waitFor();
        assert.equal(await clipboard(page), instant);
      },
      { timezoneId: "Asia/Tokyo" },
    ));
});

describe("columns", () => {
  test("detail 16: columns are found by search, added, taken away and moved by the keyboard, and kept in the address and by the browser", () =>
    onPage(at("few"), async (page) => {
      await rows(page, 6);
      const name = (await heads(page))[0];
      await openColumns(page);
      const search = page.getByRole("searchbox", { name: /^Find a column/ });
      await search.fill("tier");
      await page.getByRole("checkbox", { name: /metadata\.plan\.tier/ }).click();
      await search.fill("");
      await page.getByRole("checkbox", { name: "Target", exact: true }).click();
      await page.getByRole("button", { name: /^Drag to move User/ }).focus();
      await page.keyboard.press("ArrowUp");
      await isHeads(page, ["User", name, "Activity", "IP address", "Plan tier"]);
      assert.equal(parameter(page, "columns"), "user,time,activity,ip,metadata.plan.tier");
      assert.equal(await cell(page, 0, 4).innerText(), "gold");
      await page.goto(`${stage.address}/`);
      await isHeads(page, ["User", name, "Activity", "IP address", "Plan tier"]);
      await page.waitForURL(/columns=/);
      await cell(page, 0, 4).getByRole("button").click();
      await page.getByRole("menuitem", { name: "Filter for" }).click();
      await query(page, "metadata.plan.tier:gold");
      await openColumns(page);
      await page.getByRole("button", { name: "Reset" }).click();
      await isHeads(page, [name, "User", "Activity", "Target", "IP address"]);
      assert.equal(parameter(page, "columns"), null);
    }));

  test("detail 16: a column is dragged to its place, and a path that no event has can be one", () =>
    onPage(at("few"), async (page) => {
      await rows(page, 6);
      await openColumns(page);
      const grip = (column) => page.getByRole("button", { name: `Drag to move ${column};` }).boundingBox();
      const [from, to] = [await grip("IP address"), await grip("User")];
      await page.mouse.move(from.x + 10, from.y + 10);
      await page.mouse.down();
      await page.mouse.move(from.x + 10, from.y - 20, { steps: 4 });
      await page.mouse.move(to.x + 10, to.y + 10, { steps: 8 });
      await page.mouse.up();
      await page.waitForURL(/columns=time%2Cip%2Cuser%2Cactivity%2Ctarget/);
      await page.getByRole("searchbox", { name: /^Find a column/ }).fill("metadata.not.there");
      await page.getByRole("checkbox", { name: /^Add metadata\.not\.there/ }).click();
      await page.waitForURL(/metadata\.not\.there/);
    }));

  test("detail 16: each view has its own", () =>
    onPage(at("few", "?view=one"), async (page) => {
      await rows(page, 6);
      await openColumns(page);
      await page.getByRole("checkbox", { name: "Target", exact: true }).click();
      await page.waitForFunction(() => document.querySelectorAll("thead th").length === 4);
      await page.goto(`${stage.address}/?view=two`);
      await rows(page, 6);
      assert.equal((await heads(page)).length, 5);
      await page.goto(`${stage.address}/?view=one`);
      await page.waitForFunction(() => document.querySelectorAll("thead th").length === 4);
    }));

  test("detail 15: widths follow the pointer and arrow keys, are kept, and a double click undoes them", () =>
    onPage(at("few"), async (page) => {
      await rows(page, 6);
      const width = () => page.locator("thead th").nth(1).evaluate((head) => head.offsetWidth);
      const edge = page.getByRole("separator", { name: "Width of User" });
      const first = await width();
      const { x, y, width: w, height: h } = await edge.boundingBox();
      await page.mouse.move(x + w / 2, y + h / 2);
      await page.mouse.down();
      await page.mouse.move(x + w / 2 + 60, y + h / 2, { steps: 6 });
      await page.mouse.up();
      assert.equal(await width(), first + 60);
      assert.equal(await cell(page, 0, 1).evaluate((each) => each.offsetWidth), first + 60);
      await edge.focus();
      await page.keyboard.press("ArrowLeft");
      await page.waitForFunction((wanted) => document.querySelectorAll("thead th")[1].offsetWidth === wanted, first + 44);
      await page.reload();
      await rows(page, 6);
      assert.equal(await width(), first + 44);
      await edge.dblclick();
      await page.waitForFunction((wanted) => document.querySelectorAll("thead th")[1].offsetWidth === wanted, first);
    }));

  test("detail 15: the head stays in sight with the day below it, and the first column does when it is frozen", () =>
    onPage(
      at("many"),
      async (page) => {
        await page.locator("tr.event").first().waitFor();
        await openColumns(page);
        for (const column of ["Team", "Product", "Result", "Log ID"]) await page.getByRole("checkbox", { name: new RegExp(`^${column} `) }).click();
        await page.getByRole("checkbox", { name: "Keep the first column in sight" }).click();
        await page.keyboard.press("Escape");
        await page.mouse.move(500, 600);
        await page.mouse.wheel(0, 3_000);
        await page.locator(".day-now").waitFor();
        await page.locator("tbody").evaluate((body) => (body.scrollLeft = 300));
        const place = () =>
          page.evaluate(() => {
            const box = (element) => element.getBoundingClientRect();
            const [head, body] = [document.querySelector("thead"), document.querySelector("tbody")];
            const row = [...document.querySelectorAll("tr.event")].find((each) => box(each).top > 200);
            return {
              top: Math.round(box(head).top),
              frozen: Math.round(box(row.cells[0]).left - box(body).left),
              frozenHead: Math.round(box(head.rows[0].cells[0]).left - box(head).left),
              apart: Math.round(box(row.cells[4]).left - box(head.rows[0].cells[4]).left),
            };
          });
        await page.waitForFunction(() => document.querySelector("thead").scrollLeft === 300);
        assert.deepEqual(await place(), { top: 52, frozen: 0, frozenHead: 0, apart: 0 });
      },
      { viewport: { width: 900, height: 800 } },
    ));

  test("detail 17: rows are comfortable or compact, and long values are written out when they are wrapped", () =>
    onPage(at("few"), async (page) => {
      await rows(page, 6);
      const height = () => page.locator("tr.event").first().evaluate((row) => row.offsetHeight);
      const isCut = () => page.locator(".open-event").first().evaluate((text) => text.scrollWidth > text.clientWidth);
      assert.equal(await height(), 52);
      assert.equal(await isCut(), true);
      await openColumns(page);
      await page.getByRole("radio", { name: "Compact" }).check();
      await page.waitForFunction(() => document.querySelector("tr.event").offsetHeight === 34);
      await page.getByRole("radio", { name: "Comfortable" }).check();
      await page.getByRole("checkbox", { name: "Wrap long values" }).click();
      await page.waitForFunction(() => document.querySelector("tr.event").offsetHeight > 60);
      assert.match(await page.locator(".open-event").first().innerText(), /in any of the shops$/);
      assert.equal(await isCut(), false);
    }));
});

describe("rows", () => {
  test("thousands of rows: the next ones come by scrolling, and only those in sight are drawn", () =>
    onPage(at("many"), async (page) => {
      await page.locator("tr.event").first().waitFor();
      let most = 0;
      for (;;) {
        await page.mouse.move(500, 600);
        await page.mouse.wheel(0, 6_000);
        await page.waitForFunction(() => [...document.querySelectorAll("tr.event")].some((row) => row.getBoundingClientRect().bottom > 300 && row.getBoundingClientRect().top < innerHeight));
        most = Math.max(most, await page.locator("tr.event").count());
        const isEnd = await page.evaluate(() => document.querySelector("tr.event[data-index]:last-of-type")?.textContent.includes("Report 1199 ") === true);
        if (isEnd) break;
      }
      assert.ok(most < 80, `${most} rows are drawn`);
      await page.getByRole("button", { name: "Show earlier events" }).waitFor({ state: "detached" });
    }));

  test("detail 18: an event opens beside the list, which stays where it is; j goes on to the next; the place has its own link", () =>
    onPage(at("many"), async (page) => {
      await page.locator("tr.event").first().waitFor();
      await page.mouse.move(500, 600);
      await page.mouse.wheel(0, 1_900);
      const row = page.locator('tr.event:has-text("Report 40 ")');
      await row.waitFor();
      const before = await row.boundingBox();
      await row.locator(".open-event").click();
      await page.getByRole("complementary").waitFor();
      assert.equal((await row.boundingBox()).y, before.y);
      const first = parameter(page, "event");
      await page.keyboard.press("j");
      await page.waitForFunction((was) => new URL(location.href).searchParams.get("event") !== was, first);
      assert.equal(await page.locator('tr.event[data-selected="true"]').innerText().then((text) => text.includes("Report 41 ")), true);
      await page.getByRole("complementary").getByText(/Report 41 /).first().waitFor();
      await page.goto(page.url());
      await page.getByRole("complementary").getByText(/Report 41 /).first().waitFor();
    }));

  test("detail 18: k and j reach rows that were scrolled out of sight", () =>
    onPage(at("many"), async (page) => {
      await page.locator("tr.event").first().waitFor();
      await page.keyboard.press("j");
      await page.mouse.move(500, 600);
      await page.mouse.wheel(0, 4_000);
      await page.locator('tr.event:has-text("Report 70 ")').waitFor();
      await page.keyboard.press("j");
      await page.waitForFunction(() => {
        const box = document.activeElement?.getBoundingClientRect();
        return document.activeElement?.textContent.startsWith("Report 1 ") && box.top > 90 && box.bottom < innerHeight;
      });
    }));

  test("detail 1: the head of the times sorts, and the address has the order", () =>
    onPage(at("few"), async (page) => {
      await rows(page, 6);
      await page.getByRole("columnheader", { name: /^Time/ }).getByRole("button").click();
      await page.waitForURL(/order=asc/);
      await page.waitForFunction(() => document.querySelector(".open-event")?.textContent.startsWith("Report 5 "));
      assert.equal(await page.locator('th[aria-sort="ascending"]').count(), 1);
      await page.reload();
      await page.waitForFunction(() => document.querySelector(".open-event")?.textContent.startsWith("Report 5 "));
    }));

  test("an action that the catalog does not have is marked where the policy wants it", async () => {
    await stage.call("PUT", "/v1/projects/default/catalog", { actions: [{ id: "known.thing", name: "Known thing" }] });
    await stage.call("PUT", "/v1/organizations/marked", { name: "marked", policy: { unknown_actions: "mark" } });
    await post("marked", [{ action: "known.thing", actor: people[0] }, { action: "other.thing", description: "Something else", actor: people[0] }]);
    await onPage(at("marked"), async (page) => {
      await rows(page, 2);
      const tags = await page.locator("tr.event").evaluateAll((all) => all.map((row) => [row.dataset.action, row.textContent.includes("Not in the catalog")]));
      assert.deepEqual(Object.fromEntries(tags), { "known.thing": false, "other.thing": true });
    });
  });

  test("hostile values stay in their cells, wide or narrow, cut or wrapped", async () => {
    const names = ["<img src=x onerror=harm()>", `a\u202Efdp.exe`, "W".repeat(100_000), "👩‍👩‍👧‍👦".repeat(500), "שלום עולם ".repeat(300), "نص طويل جدا ".repeat(300)];
    await post(
      "hostile",
      names.map((name, place) => ({ action: `hostile.${place}`, description: name, actor: { id: `h${place}`, name: [...name].slice(0, 500).join(""), team: [...name].slice(0, 500).join("") }, targets: [{ type: "file", name: [...name].slice(0, 500).join("") }], metadata: { note: name } })),
    );
    for (const viewport of [{ width: 1440, height: 900 }, { width: 390, height: 844 }]) {
      await onPage(
        at("hostile", "?columns=time,user,activity,target,actor.team,metadata.note"),
        async (page) => {
          await rows(page, 6);
          const shape = () =>
            page.evaluate(() => ({
              overflow: document.documentElement.scrollWidth - innerWidth,
              intruders: document.querySelectorAll("tbody :is(img, script)").length,
              escaped: [...document.querySelectorAll("tr.event td > *")].filter((inside) => inside.getBoundingClientRect().right > inside.closest("td").getBoundingClientRect().right + 1).length,
              turned: document.querySelector("tbody").textContent.includes("\u202e"),
            }));
          const inert = { overflow: 0, intruders: 0, escaped: 0, turned: false };
          assert.deepEqual(await shape(), inert);
          const tallest = () => page.evaluate(() => Math.max(...[...document.querySelectorAll("tr.event")].map((row) => row.offsetHeight)));
          assert.ok((await tallest()) < 110, `a row is ${await tallest()} pixels high`);
          await openColumns(page);
          await page.getByRole("checkbox", { name: "Wrap long values" }).click();
          await page.keyboard.press("Escape");
          assert.deepEqual(await shape(), inert);
        },
        { viewport },
      );
    }
  });
});
