// The ways in, in a real browser against the real binary; stage.mjs says what it needs.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setStage, signIn, signOut } from "./stage.mjs";

const ORGANIZATION = "fashion";
const OF = `/v1/organizations/${ORGANIZATION}`;
const PASSWORD = "correct horse battery staple";
const OWNER = { email: "sarah@fashion.example", name: "Sarah Khan", role: "owner", password: PASSWORD };
const CLERK = { email: "bill@fashion.example", role: "clerk", password: PASSWORD };
const READER = { email: "eve@fashion.example", role: "reader", password: PASSWORD };
const ACTION = "Price list changed";
const POLICY = {
  view_roles: ["owner", "administrator", "auditor", "reader"],
  title: "Activity history",
  breadcrumb: ["Your account", "Security"],
  coverage_note: "All that your team does.",
  recorded_since: "2020-07-01T00:00:00Z",
  feedback_url: "https://feedback.example/log",
};

let stage;

before(async () => {
  stage = await setStage();
  const event = { organization: ORGANIZATION, action: "price_list.changed", description: ACTION, actor: { id: "u_81", name: "Omar Aziz" } };
  await stage.call("POST", "/v1/events", { events: [event, { ...event, description: "Another thing", actor: { id: "u_9", name: "Ann" } }] });
  await stage.call("PUT", OF, { policy: POLICY });
  for (const user of [OWNER, CLERK, READER]) await stage.call("POST", `${OF}/users`, user);
});

after(() => stage?.end());

const form = (page) => page.getByRole("heading", { level: 1, name: "Sign in" }).waitFor();
const list = (page) => page.locator("tr.event").first().waitFor();
/** Everything that the page could show or hold of the log. The signed heads that a browser has seen stay, so that a rewritten ledger is noticed: they have nothing of an event. */
const traces = (page) =>
  page.evaluate(() => {
    const stored = Object.entries({ ...sessionStorage, ...localStorage }).filter(([name]) => !name.startsWith("trailbook.seen "));
    return { rows: document.querySelectorAll("tr.event").length, words: document.body.innerText, stored: Object.fromEntries(stored), cookie: document.cookie };
  });

async function assertNothing(page) {
  const { rows, words, stored, cookie } = await traces(page);
  assert.equal(rows, 0);
  assert.doesNotMatch(words, /Price list|Sarah|fashion/);
  assert.deepEqual([stored, cookie], [{}, ""]);
}

describe("signing in", () => {
  test("an owner signs in, sees the log, signs out, and going back shows nothing", () =>
    stage.onPage("/", async (page) => {
      await form(page);
      assert.equal(await page.evaluate(() => document.activeElement?.getAttribute("name")), "email");
      await signIn(page, { ...OWNER, password: "not the password" });
      assert.match(await page.getByRole("alert").textContent(), /do not fit together/);
      await signIn(page, OWNER);
      await list(page);
      assert.deepEqual([(await traces(page)).stored, (await traces(page)).cookie], [{}, ""]);
      await page.locator('.live[data-state="live"]').waitFor();
      await page.getByText(ACTION).first().click();
      await page.getByText("Included and unaltered.").waitFor();
      await page.reload();
      await list(page);
      await page.getByRole("button", { name: "Export", exact: true }).waitFor();

      await page.goto("about:blank");
      await page.goBack();
      await list(page);
      await signOut(page);
      await form(page);
      await assertNothing(page);
      for (const go of ["goBack", "goForward", "reload"]) {
        await page[go]();
        if (page.url() === "about:blank") continue;
        await form(page);
        await assertNothing(page);
      }
      assert.deepEqual(await page.context().cookies(), []);
    }));

  test("signing out in one tab ends what another one shows", () =>
    stage.onPage("/", async (page) => {
      await signIn(page, OWNER);
      await list(page);
      const other = await page.context().newPage();
      await other.goto(stage.address);
      await list(other);
      await signOut(other);
      await form(other);
      await page.getByRole("combobox", { name: "Search events" }).fill("price");
      await form(page);
      await page.getByText("Your session is over. Sign in again.").waitFor();
      await assertNothing(page);
    }));

  test("a page that the browser brings back as it was asks again who is signed in", () =>
    stage.onPage("/", async (page) => {
      await signIn(page, OWNER);
      await list(page);
      // Without the live feed, whose end would tell the page as well.
      await page.getByRole("button", { name: "Live", exact: true }).click();
      await page.evaluate(() => fetch("/auth/sign-out", { method: "POST", headers: { "Trailbook-Console": "1" } }));
      assert.notEqual((await traces(page)).rows, 0);
      // What browsers tell a page out of their back/forward cache; a driven one keeps no such cache.
      await page.evaluate(() => window.dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true })));
      await form(page);
      await assertNothing(page);
    }));

  test("a sign-out that fails says so", () =>
    stage.onPage("/", async (page) => {
      await signIn(page, OWNER);
      await list(page);
      await page.route("**/auth/sign-out", (route) => route.abort());
      await signOut(page);
      assert.match(await page.getByRole("alert").textContent(), /You are still signed in/);
      await page.unroute("**/auth/sign-out");
      await signOut(page);
      await form(page);
    }));

  test("a role without the right is refused in words, and nothing of the log is asked for", () =>
    stage.onPage("/", async (page) => {
      const asked = [];
      page.on("request", (request) => request.url().includes("/v1/") && asked.push(new URL(request.url()).pathname));
      await signIn(page, CLERK);
      await page.getByRole("heading", { name: "You cannot see this log" }).waitFor();
      assert.match(await page.getByRole("alert").textContent(), /^Your role and permissions do not let you see this log/);
      assert.deepEqual(asked, [`${OF}/policy`]);
      await signOut(page);
      await form(page);
    }));

  test("whoever may look but not export is offered no export", () =>
    stage.onPage("/", async (page) => {
      await signIn(page, READER);
      await list(page);
      assert.equal(await page.getByRole("button", { name: "Export", exact: true }).count(), 0);
    }));

  test("single sign-on asks for the organization and leaves for the server", () =>
    stage.onPage("/", async (page) => {
      await page.getByRole("button", { name: "Single sign-on" }).click();
      await page.route("**/auth/single-sign-on?*", (route) => route.fulfill({ contentType: "text/html", body: "elsewhere" }));
      await page.getByLabel("Organization").fill("fashion & co");
      await page.keyboard.press("Enter");
      await page.getByText("elsewhere").waitFor();
      assert.equal(page.url(), `${stage.address}/auth/single-sign-on?organization=fashion+%26+co&return_to=%2F`);
    }));
});

describe("letters", () => {
  test("the link of an invitation lets somebody choose a password once, and leaves no trace of itself", async () => {
    const { link } = await stage.call("POST", `${OF}/users`, { email: "ann@fashion.example", role: "auditor", deliver: "answer" });
    const { pathname, hash } = new URL(link, stage.address);
    assert.match(hash, /^#tb_link_/);
    await stage.onPage(pathname + hash, async (page) => {
      await page.getByRole("heading", { name: "Choose a password" }).waitFor();
      assert.equal(page.url(), `${stage.address}/`);
      await page.getByLabel("Your name").fill("Ann Lee");
      await page.getByLabel("New password").fill("short");
      await page.keyboard.press("Enter");
      const alert = page.getByRole("alert");
      await alert.waitFor();
      assert.equal(await page.evaluate(() => document.activeElement?.getAttribute("name")), "password");
      const field = page.getByLabel("New password");
      assert.equal(await field.getAttribute("aria-invalid"), "true");
      assert.ok((await field.getAttribute("aria-describedby")).includes(await alert.getAttribute("id")));
      await field.fill(PASSWORD);
      await page.keyboard.press("Enter");
      await page.getByText("Your password is set. Sign in with it.").waitFor();
      await signIn(page, { email: "ann@fashion.example", password: PASSWORD });
      await list(page);
      await page.getByText("Ann Lee").first().waitFor();

      await page.goto(stage.address + pathname + hash);
      await page.getByLabel("New password").fill(`${PASSWORD} again`);
      await page.keyboard.press("Enter");
      assert.match(await page.getByRole("alert").textContent(), /^This link was used/);
      await page.getByRole("button", { name: "Sign in instead" }).click();
      await list(page);
    });
  });

  test("a forgotten password has the same answer whoever asks", async () => {
    const answers = [];
    for (const email of [OWNER.email, "nobody@fashion.example"]) {
      await stage.onPage("/", async (page) => {
        await page.getByRole("button", { name: "Forgotten password?" }).click();
        await page.getByLabel("E-mail").fill(email);
        await page.keyboard.press("Enter");
        await page.getByRole("status").waitFor();
        answers.push(await page.getByRole("main").innerText());
      });
    }
    assert.equal(answers[0], answers[1]);
    assert.match(answers[0], /a letter with a link is on its way/);
  });
});

describe("viewer tokens", () => {
  test("a link with a token shows what it lets through, in this tab only, until it is revoked", async () => {
    const made = await stage.call("POST", `${OF}/viewer-tokens`, { actor: { id: "p_1", name: "Partner", role: "auditor" }, filter: "actor:u_81", ttl_seconds: 600 });
    const { hash } = new URL(made.url, stage.address);
    await stage.onPage(`/${hash}`, async (page) => {
      await list(page);
      assert.equal(page.url(), `${stage.address}/`);
      assert.equal(await page.locator("tr.event").count(), 1);
      await page.reload();
      await list(page);
      const other = await page.context().newPage();
      await other.goto(stage.address);
      await form(other);
      await stage.call("DELETE", `${OF}/viewer-tokens/${made.id}`);
      await page.getByRole("combobox", { name: "Search events" }).fill("price");
      await page.getByText("This link is over.").waitFor();
      await assertNothing(page);
    });
  });
});

describe("the policy's words", () => {
  test("title, breadcrumb, coverage, beginning and feedback stand above the list", () =>
    stage.onPage("/", async (page) => {
      await signIn(page, OWNER);
      await page.getByRole("heading", { level: 1, name: "Activity history" }).waitFor();
      assert.equal(await page.title(), "Activity history · Trailbook");
      assert.deepEqual(await page.getByRole("list", { name: "Breadcrumb" }).getByRole("listitem").allTextContents(), POLICY.breadcrumb);
      await page.getByText("All that your team does.").waitFor();
      await page.getByText("Recorded since 1 July 2020.").waitFor();
      assert.equal(await page.getByRole("link", { name: "Send feedback" }).getAttribute("href"), POLICY.feedback_url);
    }));
});
