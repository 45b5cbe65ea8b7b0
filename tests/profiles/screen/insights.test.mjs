// Insights: every number on the page leads to the events that were counted.
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { run, setStage } from "../../../web/e2e/stage.mjs";

let stage;
before(async () => {
  stage = await setStage();
  await run("demo", "--server", stage.address, "--key", stage.key, "--profile", "omni");
});
after(() => stage.end());

const PAGE = "/insights#key={key}&organization=demo";

/** The count that the activity says it shows. */
async function shownCount(page) {
  const status = page.getByRole("status").filter({ hasText: /^[\d,]+ events?/ }).first();
  await status.waitFor();
  return Number((await status.innerText()).replace(/ event.*/s, "").replaceAll(",", ""));
}

suite("insights", () => {
  for (const name of ["Events", "Security actions", "Exports"]) {
    test(`the number of ${name} leads to as many events`, () =>
      stage.onPage(PAGE, async (page) => {
        const tile = page.locator(".tile").filter({ has: page.getByText(name, { exact: true }) });
        const number = tile.getByRole("link");
        const said = Number((await number.innerText()).replaceAll(",", ""));
        assert.ok(said > 0);
        await number.click();
        assert.equal(await shownCount(page), said);
        await page.goBack();
        await page.getByRole("heading", { name: "Insights" }).waitFor();
      }));
  }

  test("an entry of a list leads to its events", () =>
    stage.onPage(PAGE, async (page) => {
      const first = page.getByRole("region", { name: "Most frequent actions" }).getByRole("link").first();
      const said = Number((await first.locator(".number").innerText()).replaceAll(",", ""));
      await first.click();
      assert.equal(await shownCount(page), said);
    }));

  test("N-10: the cache hit rate is reckoned over two kinds of events, and its parts lead to theirs", () =>
    stage.onPage(PAGE, async (page) => {
      const rate = page.getByRole("region", { name: "Cache hit rate", exact: true });
      const answer = await rate.locator(".answer").innerText();
      const part = async (name) => Number((await rate.locator(".metrics div").filter({ hasText: name }).getByRole("link").innerText()).replaceAll(",", ""));
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
    }));

  test("a bar over time leads to its time alone", () =>
    stage.onPage(PAGE, async (page) => {
      const bars = page.getByRole("region", { name: "Events over time" }).getByRole("link");
      await bars.first().waitFor();
      const label = await bars.last().getAttribute("aria-label");
      await bars.last().click();
      assert.equal(await shownCount(page), Number(label.replace(/.*: /, "").replaceAll(",", "")));
    }));

  test("the range narrows every number", () =>
    stage.onPage("/insights?range=yesterday#key={key}&organization=demo", async (page) => {
      const all = await (await fetch(`${stage.address}/v1/organizations/demo/events/count`, { headers: { Authorization: `Bearer ${stage.key}` } })).json();
      const number = page.locator(".tile").first().getByRole("link");
      await number.waitFor();
      assert.ok(Number((await number.innerText()).replaceAll(",", "")) < all.count);
    }));
});
