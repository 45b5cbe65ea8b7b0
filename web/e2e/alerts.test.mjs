// Alerts, in a real browser against the real binary, which tells a real receiver; stage.mjs says what it needs.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setPostman } from "./postman.mjs";
import { isSigned, setReceiver } from "./receiver.mjs";
import { setStage, signIn } from "./stage.mjs";

const OF = "/v1/organizations/shop";
const SARAH = { email: "sarah@shop.example", name: "Sarah", role: "owner", password: "correct horse battery staple" };

let stage, receiver, postman;
before(async () => {
  [receiver, postman] = [await setReceiver(), await setPostman()];
  stage = await setStage({ environment: { ...postman.environment, TRAILBOOK_PUBLIC_URL: "http://127.0.0.1:1", TRAILBOOK_PRIVATE_DESTINATIONS: receiver.host } });
  await send("Signed in", "user.signed_in", "login");
  await stage.call("POST", `${OF}/users`, SARAH);
});
after(async () => {
  await stage?.end();
  receiver?.end();
  postman?.end();
});

const send = (description, action, action_type) => stage.call("POST", "/v1/events", { organization: "shop", action, action_type, description, actor: { id: "u_1", name: "Omar" } });
const card = (page, name) => page.getByRole("listitem", { name, exact: true });
const button = (page, name) => page.getByRole("button", { name, exact: true });
const onAlerts = (use) => stage.onPage("/alerts#key={key}&organization=shop", use);
const called = async (name) => (await stage.call("GET", `${OF}/alerts`)).alerts.find((alert) => alert.name === name);

describe("alerts", () => {
  test("one is made of the search on the screen, tells a webhook that signs, and leads to its events", () =>
    stage.onPage("/?q=type%3Adelete", async (page) => {
      await signIn(page, SARAH);
      await page.locator(".views-button").click();
      await page.getByRole("link", { name: "Make an alert of this search…" }).click();
      assert.equal(await page.getByRole("combobox", { name: "Events that match" }).inputValue(), "type:delete");
      assert.equal(await page.getByLabel("E-mail addresses").inputValue(), SARAH.email);
      await page.getByLabel("E-mail addresses").fill("");
      await page.getByLabel("Name").fill("Deletions");
      await page.getByLabel("A webhook as well").check();
      await page.getByLabel("URL").fill(`${receiver.address}/alert`);
      await button(page, "Create the alert").click();
      const secret = await page.getByRole("dialog").getByLabel("Signing secret", { exact: true }).inputValue();
      await button(page, "I have kept it").click();
      await card(page, "Deletions").getByText("Every event that matches", { exact: false }).waitFor();
      await card(page, "Deletions").getByText("Never").waitFor();

      await button(page, "Test Deletions").click();
      await card(page, "Deletions").getByRole("status").filter({ hasText: /^A made-up message was delivered/ }).waitFor();
      await send("Order removed", "order.removed", "delete");
      const fired = (await receiver.received("/alert", 2)).at(-1);
      assert.ok(isSigned(fired, secret));
      assert.deepEqual([JSON.parse(fired.body).type, JSON.parse(fired.body).alert.name], ["trailbook.alert", "Deletions"]);
      await page.reload();
      await card(page, "Deletions").getByText(/Just now|min ago/).waitFor();
      await page.getByRole("link", { name: "Events of Deletions" }).click();
      await page.getByText("Order removed").first().waitFor();
      assert.equal(await page.getByText("Signed in", { exact: true }).count(), 0);
      await stage.call("DELETE", `${OF}/alerts/${(await called("Deletions")).id}`);
    }));

  test("each kind of condition is set up, said in words, changed, switched off and deleted after asking", () =>
    onAlerts(async (page) => {
      await page.getByRole("link", { name: "New alert" }).click();
      await page.getByLabel("Name").fill("Sign-ins that fail");
      await page.getByRole("combobox", { name: "Events that match" }).fill("type:login result:failure");
      await page.getByLabel("Tells of").selectOption("threshold");
      await page.getByLabel("At least").fill("5");
      await page.getByLabel("Of the same").selectOption("ip");
      await page.getByLabel("E-mail addresses").fill("security@shop.example");
      await button(page, "Create the alert").click();
      await card(page, "Sign-ins that fail").getByText("5 events or more within 15 min of the same: IP address", { exact: false }).waitFor();
      assert.deepEqual((await called("Sign-ins that fail")).condition, { type: "threshold", count: 5, window_seconds: 900, by: "ip" });
      await button(page, "Test Sign-ins that fail").click();
      await card(page, "Sign-ins that fail").getByRole("status").filter({ hasText: /^A made-up message was delivered/ }).waitFor();
      assert.match(await postman.letterTo("security@shop.example"), /Sign-ins that fail/);

      for (const [kind, words, condition] of [
        ["first_seen", "Something new about somebody: Country", { type: "first_seen", field: "country" }],
        ["digest", "A digest every day", { type: "digest", every: "day" }],
      ]) {
        await page.getByRole("link", { name: "Change Sign-ins that fail" }).click();
        await page.getByLabel("Tells of").selectOption(kind);
        await button(page, "Save").click();
        await card(page, "Sign-ins that fail").getByText(words, { exact: false }).waitFor();
        assert.deepEqual((await called("Sign-ins that fail")).condition, condition);
      }
      await page.getByRole("link", { name: "Change Sign-ins that fail" }).click();
      await page.getByLabel("On", { exact: true }).uncheck();
      await button(page, "Save").click();
      await card(page, "Sign-ins that fail").getByText("Off", { exact: true }).waitFor();
      assert.equal((await called("Sign-ins that fail")).enabled, false);

      await button(page, "Delete Sign-ins that fail").click();
      await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
      assert.equal((await called("Sign-ins that fail")).name, "Sign-ins that fail");
      await button(page, "Delete Sign-ins that fail").click();
      await button(page, "Delete the alert").click();
      await card(page, "Sign-ins that fail").waitFor({ state: "detached" });
      assert.equal(await called("Sign-ins that fail"), undefined);
    }));

  test("a query that cannot be read is marked where it stands, before anything is sent", () =>
    onAlerts(async (page) => {
      await page.getByRole("link", { name: "New alert" }).click();
      const query = page.getByRole("combobox", { name: "Events that match" });
      await query.fill("type:");
      await query.blur();
      await page.getByRole("alert").waitFor();
      assert.equal(await query.getAttribute("aria-invalid"), "true");
    }));
});
