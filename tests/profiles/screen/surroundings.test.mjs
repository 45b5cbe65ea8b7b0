// What each product's page has around the list: title, breadcrumb, what it covers, where to say something about it.
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { setStage } from "../../../web/e2e/stage.mjs";
import { setProfile } from "./profile.mjs";

const PROFILES = ["ometria", "moengage", "audit-log-report", "capillary-intouch", "omni"];

let stage;
/** An organization of each profile's own project. */
const at = (profile) => `/#key={key}&organization=demo&project=${profile}`;

before(async () => {
  stage = await setStage();
  for (const profile of PROFILES) await setProfile(stage, profile, [{ action: "anything.done", description: "Something done", actor: { id: "u1", name: "Ana" } }]);
});
after(() => stage?.end());

const trail = async (page) => (await page.getByRole("list", { name: "Breadcrumb" }).getByRole("listitem").allInnerTexts()).map((text) => text.trim());
const heading = (page, name) => page.getByRole("heading", { level: 1, name, exact: true }).waitFor();

suite("surroundings", () => {
  test("O-4: found under Your account > Security", () =>
    stage.onPage(at("ometria"), async (page) => {
      await heading(page, "Audit Logs");
      assert.deepEqual(await trail(page), ["Your account", "Security"]);
    }));

  test("O-13: readers can leave comments, from every view of the log", () =>
    stage.onPage(at("ometria"), async (page) => {
      const link = page.getByRole("link", { name: "Send feedback" });
      assert.equal(await link.getAttribute("href"), "https://help.ometria.example/audit-logs#comments");
      assert.match(await link.getAttribute("rel"), /noreferrer/);
    }));

  test("M-8: found under Settings >> Audit Logs, as a table", () =>
    stage.onPage(at("moengage"), async (page) => {
      await heading(page, "Audit Logs");
      assert.deepEqual(await trail(page), ["Settings", "Audit Logs"]);
      await page.getByRole("table").or(page.getByRole("grid")).first().waitFor();
    }));

  test("M-27: whether it was helpful can be said", () =>
    stage.onPage(at("moengage"), async (page) => {
      assert.equal(await page.getByRole("link", { name: "Send feedback" }).getAttribute("href"), "https://help.moengage.example/audit-logs#feedback");
    }));

  test("M-5: what is covered and what is not stands above the list", () =>
    stage.onPage(at("moengage"), async (page) => {
      await page.getByText("Other events are not recorded", { exact: false }).waitFor();
    }));

  test("R-22, R-23: found under Reports > Audit Log, viewed there", () =>
    stage.onPage(at("audit-log-report"), async (page) => {
      await heading(page, "Audit Log Report");
      assert.deepEqual(await trail(page), ["Reports", "Audit Log"]);
      await page.getByText("Something done").first().waitFor();
    }));

  test("C-9: where: Intouch > User Management > Audit Logs", () =>
    stage.onPage(at("capillary-intouch"), async (page) => {
      await heading(page, "Audit Logs");
      assert.deepEqual(await trail(page), ["Intouch", "User Management", "Audit Logs"]);
    }));

  test("C-3, C-75: what the log covers, and that it is not everything", () =>
    stage.onPage(at("capillary-intouch"), async (page) => {
      await page.getByText("This log covers User Management. Actions in Loyalty+, Engage+ and Insights+ are not in it yet.").waitFor();
    }));
});
