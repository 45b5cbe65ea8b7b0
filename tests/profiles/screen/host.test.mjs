// The demonstration's page of a product: its own navigation around the log, which is shown by a viewer token inside of it.
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { run, setHost, setStage } from "../../../web/e2e/stage.mjs";

let stage;
let host;
before(async () => {
  stage = await setStage();
  await run("demo", "--server", stage.address, "--key", stage.key, "--profile", "capillary-intouch");
  host = await setHost(stage, "demo");
});
after(async () => {
  host?.end();
  await stage?.end();
});

const texts = async (list) => (await list.getByRole("listitem").allInnerTexts()).map((text) => text.trim());

/** Runs `use` on the product's page, which is on another origin than the server. */
const onHost = (use) =>
  stage.onPage("/", async (page) => {
    await page.goto(host.address);
    await use(page, page.locator("trailbook-viewer"));
  });

suite("host", () => {
  test("C-9: the log is the last part of the product's navigation, and of the trail above it", () =>
    onHost(async (page, viewer) => {
      const navigation = page.getByRole("navigation", { name: "Product" });
      assert.deepEqual(await texts(navigation), ["Intouch", "User Management", "Audit Logs"]);
      assert.equal(await navigation.locator('[aria-current="page"]').innerText(), "Audit Logs");
      await viewer.getByRole("heading", { name: "Audit Logs", exact: true }).waitFor();
      assert.deepEqual(await texts(viewer.getByRole("list", { name: "Breadcrumb" })), ["Intouch", "User Management", "Audit Logs"]);
      assert.equal(await page.title(), "Audit Logs");
    }));

  test("C-40: its rows are the product's events, which open in it while the page stays where it is", () =>
    onHost(async (page, viewer) => {
      const row = viewer.getByText("Made organization owner/admin").first();
      await row.click();
      await viewer.getByRole("complementary").getByText("Ananya Rao").first().waitFor();
      assert.equal(page.url(), `${host.address}/`);
    }));
});
