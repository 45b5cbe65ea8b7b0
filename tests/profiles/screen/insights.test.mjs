// Insights: every number on the page leads to the events that were counted.
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import { run, setStage } from "../../../web/e2e/stage.mjs";

/** Another product's log beside it: one in which signing in fails. */
const OTHER = "ometria";
const COUNTRIES = fileURLToPath(new URL("../../../testdata/documentation.mmdb", import.meta.url));

let stage;
before(async () => {
  stage = await setStage({ environment: { TRAILBOOK_COUNTRY_DATABASE: COUNTRIES } });
  await run("demo", "--server", stage.address, "--key", stage.key, "--profile", "omni");
  await run("project", "set", OTHER, "--server", stage.address, "--key", stage.key);
  await run("demo", "--server", stage.address, "--key", stage.key, "--profile", OTHER, "--project", OTHER);
});
after(() => stage?.end());

const PAGE = "/insights#key={key}&organization=demo";
/** What each product's page has something of. */
const LOGS = [
  { profile: "omni", at: PAGE, tiles: ["Events", "Security actions", "Exports"], lists: ["Most active", "Most frequent actions", "Areas", "Exports by person"] },
  {
    profile: OTHER,
    at: `${PAGE}&project=${OTHER}`,
    tiles: ["Events", "Security actions", "Failed sign-ins", "Exports"],
    lists: ["Most active", "Most frequent actions", "Areas", "Countries", "Failed sign-ins by address", "Exports by person"],
  },
];

const numberOf = (text) => Number(text.replaceAll(",", ""));

/** The count that the activity says it shows. */
async function shownCount(page) {
  const status = page.getByRole("status").filter({ hasText: /^[\d,]+ events?/ }).first();
  await status.waitFor();
  return numberOf((await status.innerText()).replace(/ event.*/s, ""));
}

suite("insights", () => {
  for (const { profile, at, tiles, lists } of LOGS) {
    for (const name of tiles) {
      test(`${profile}: the number of ${name} leads to as many events`, () =>
        stage.onPage(at, async (page) => {
          const tile = page.locator(".tile").filter({ has: page.getByText(name, { exact: true }) });
          const number = tile.getByRole("link");
          const said = numberOf(await number.innerText());
          assert.ok(said > 0);
          await number.click();
          assert.equal(await shownCount(page), said);
          await page.goBack();
          await page.getByRole("heading", { name: "Insights" }).waitFor();
        }));
    }

    test(`${profile}: the first entry of each list leads to its events`, () =>
      stage.onPage(at, async (page) => {
        for (const name of lists) {
          const first = page.getByRole("region", { name, exact: true }).getByRole("link").first();
          const said = numberOf(await first.locator(".number").innerText());
          assert.ok(said > 0, name);
          await first.click();
          assert.equal(await shownCount(page), said, name);
          await page.goBack();
        }
      }));
  }

  test("N-10: the cache hit rate is reckoned over two kinds of events, and its parts lead to theirs", () =>
    stage.onPage(PAGE, async (page) => {
      const rate = page.getByRole("region", { name: "Cache hit rate", exact: true });
      const answer = await rate.locator(".answer").innerText();
      const part = async (name) => numberOf(await rate.locator(".metrics div").filter({ hasText: name }).getByRole("link").innerText());
      const [queries, executions] = [await part("Queries"), await part("Executions")];
      assert.equal(answer.trim(), `${Number((100 * (1 - executions / queries)).toFixed(1))}%`);
      await rate.locator(".metrics").getByRole("link").first().click();
      assert.ok((await shownCount(page)) > 0);
    }));

  test("N-4, N-25: how long queries took, median and percentiles", () =>
    stage.onPage(PAGE, async (page) => {
      const time = page.getByRole("region", { name: "Time in the warehouse" });
      await time.locator(".answer").waitFor();
      for (const name of ["P50", "P99"]) await time.getByText(name).waitFor();
      assert.match(await time.locator(".answer").innerText(), /P95/);
      const metrics = ["p50", "p95", "p99"].map((op) => ({ name: op, op, field: "metadata.duration" }));
      const { rows } = await stage.call("POST", "/v1/organizations/demo/events/aggregate", { filter: "action:query.execute", metrics });
      const shown = (name) => time.locator(".metrics div").filter({ hasText: name }).getByRole("link").innerText();
      const said = [await shown("P50"), await time.locator(".answer").getByRole("link").innerText(), await shown("P99")];
      assert.deepEqual(said.map(numberOf), ["p50", "p95", "p99"].map((name) => Number(rows[0].metrics[name].toFixed(1))));
    }));

  test("a bar over time leads to its time alone", () =>
    stage.onPage(PAGE, async (page) => {
      const bars = page.getByRole("region", { name: "Events over time" }).getByRole("link");
      await bars.first().waitFor();
      const label = await bars.last().getAttribute("aria-label");
      await bars.last().click();
      assert.equal(await shownCount(page), numberOf(label.replace(/.*: /, "")));
    }));

  test("the range narrows every number", () =>
    stage.onPage("/insights?range=yesterday#key={key}&organization=demo", async (page) => {
      const all = await (await fetch(`${stage.address}/v1/organizations/demo/events/count`, { headers: { Authorization: `Bearer ${stage.key}` } })).json();
      const number = page.locator(".tile").first().getByRole("link");
      await number.waitFor();
      assert.ok(numberOf(await number.innerText()) < all.count);
    }));
});
