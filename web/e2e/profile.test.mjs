// The own profile, and going from organization to organization; stage.mjs says what it needs.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setStage, signIn } from "./stage.mjs";

const PASSWORD = "correct horse battery staple";
const OTHER_PASSWORD = "another battery of horses";
const OWNER = { email: "sarah@fashion.example", name: "Sarah Khan", role: "owner", password: PASSWORD };
const AUDITOR = { email: "eve@fashion.example", name: "Eve Adams", role: "auditor", permissions: ["reports.read"], password: PASSWORD };
const OPERATOR = { email: "olga@trailbook.example", name: "Olga", role: "owner", password: PASSWORD };

let stage;
before(async () => {
  stage = await setStage();
  const event = { organization: "fashion", action: "price_list.changed", description: "Prices of fashion", actor: { id: "u_1", name: "Omar" } };
  await stage.call("POST", "/v1/events", { events: [event, { ...event, organization: "acme", description: "Prices of acme" }] });
  for (const user of [OWNER, AUDITOR]) await stage.call("POST", "/v1/organizations/fashion/users", user);
  await stage.call("POST", "/v1/organizations/_system/users", OPERATOR);
});
after(() => stage?.end());

const signedIn = (page) => page.getByRole("button", { name: "You and this screen" }).waitFor();

describe("the own profile", () => {
  test("it says who one is and what one may do, and whom to ask for more", () =>
    stage.onPage("/", async (page) => {
      await signIn(page, AUDITOR);
      await page.getByRole("button", { name: "You and this screen" }).click();
      await page.getByRole("link", { name: "Your profile" }).click();
      await page.getByRole("definition").getByText("eve@fashion.example").waitFor();
      await page.getByText("reports.read").waitFor();
      const rights = await page.getByRole("region", { name: "What you may do" }).getByRole("listitem").allInnerTexts();
      assert.deepEqual(rights.map((text) => text.replace(/\s+/g, " ").trim()), ["Yes Look at events", "Yes Take files", "No Administer users, keys, tokens and the policy"]);
      await page.getByText("ask somebody with one of these roles: owner, administrator").waitFor();
      assert.equal(await page.title(), "Your profile · Trailbook");
    }));

  test("a new password takes the current one, ends other sessions, and is the one that counts", () =>
    stage.onPage("/", async (page) => {
      await signIn(page, OWNER);
      await signedIn(page);
      await stage.onPage("/", async (other) => {
        await signIn(other, OWNER);
        await signedIn(other);
        await page.goto(`${stage.address}/profile`);
        await page.getByLabel("Current password").fill("not that one");
        await page.getByLabel("New password").fill(OTHER_PASSWORD);
        await page.getByRole("button", { name: "Change the password" }).click();
        await page.getByRole("alert").waitFor();
        await page.getByLabel("Current password").fill(PASSWORD);
        await page.getByLabel("New password").fill("short");
        await page.getByRole("button", { name: "Change the password" }).click();
        await page.locator('input[name="new"][aria-invalid="true"]').waitFor();
        await page.getByLabel("New password").fill(OTHER_PASSWORD);
        await page.getByRole("button", { name: "Change the password" }).click();
        await page.getByText("Your password is changed").waitFor();
        assert.equal(await page.getByLabel("New password").inputValue(), "");
        await other.reload();
        await other.getByRole("heading", { name: "Sign in" }).waitFor();
        await signIn(other, { ...OWNER, password: OTHER_PASSWORD });
        await signedIn(other);
      });
      await page.reload();
      await page.getByText(OWNER.email).waitFor();
    }));

  test("who looks by a key has no password to change", () =>
    stage.onPage("/profile#key={key}&organization=fashion", async (page) => {
      await page.getByText("A key, which this tab keeps until it is closed").waitFor();
      assert.equal(await page.getByLabel("New password").count(), 0);
    }));
});

describe("going to other organizations", () => {
  test("an operator finds an organization by typing, its address stays with every link, and going back comes back", () =>
    stage.onPage("/", async (page) => {
      await signIn(page, OPERATOR);
      await page.getByRole("button", { name: /^_system: go to another organization/ }).click();
      await page.getByRole("button", { name: /^acme/ }).waitFor();
      await page.getByRole("searchbox", { name: "Find an organization" }).fill("fash");
      assert.equal(await page.getByRole("button", { name: /^acme/ }).count(), 0);
      await page.keyboard.press("Enter");
      await page.getByText("Prices of fashion").first().waitFor();
      assert.equal(page.url(), `${stage.address}/?organization=fashion&project=default`);
      await page.getByRole("link", { name: "Settings" }).click();
      await page.getByRole("link", { name: "Users" }).click();
      await page.getByText("eve@fashion.example").waitFor();
      assert.equal(page.url(), `${stage.address}/settings/users?organization=fashion&project=default`);
      await page.reload();
      await page.getByText("eve@fashion.example").waitFor();
      await page.getByRole("button", { name: /^fashion: go to/ }).click();
      await page.getByRole("button", { name: /^acme/ }).click();
      await page.getByText("Prices of acme").first().waitFor();
      assert.equal(await page.getByText("Prices of fashion").count(), 0);
      await page.goBack();
      await page.getByText("eve@fashion.example").waitFor();
    }));

  test("the root key goes to an organization by the keyboard alone", () =>
    stage.onPage("/#key={key}&organization=fashion", async (page) => {
      await page.getByText("Prices of fashion").first().waitFor();
      await page.getByRole("button", { name: /^fashion: go to/ }).press("Enter");
      await page.getByRole("button", { name: /^acme/ }).waitFor();
      await page.keyboard.press("ArrowDown");
      await page.keyboard.press("Enter");
      await page.getByText("Prices of acme").first().waitFor();
    }));

  test("a person of one organization has no list, and the address of another one shows nothing of it", () =>
    stage.onPage("/", async (page) => {
      await signIn(page, AUDITOR);
      await page.getByText("Prices of fashion").first().waitFor();
      assert.equal(await page.getByRole("button", { name: /go to another organization/ }).count(), 0);
      await page.goto(`${stage.address}/?organization=acme`);
      await page.getByRole("heading", { name: "You cannot see this log" }).waitFor();
      assert.equal(await page.getByText("Prices of acme").count(), 0);
      await page.getByRole("button", { name: "Your own organization" }).click();
      await page.getByText("Prices of fashion").first().waitFor();
    }));
});
