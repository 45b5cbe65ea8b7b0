// Setting an organization up on the screen, in a real browser against the real binary; stage.mjs says what it needs.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";
import { setStage, signIn } from "./stage.mjs";

const PASSWORD = "correct horse battery staple";
const ACTION = "Price list changed";
const person = (organization, name, role) => ({ email: `${name.toLowerCase()}@${organization}.example`, name, role, password: PASSWORD });

let stage, provider;
before(async () => {
  provider = await identityProvider();
  // Single sign-on is only set where the server knows how it is reached, and may ask the provider.
  stage = await setStage({ environment: { TRAILBOOK_PUBLIC_URL: "http://127.0.0.1:1", TRAILBOOK_PRIVATE_DESTINATIONS: new URL(addressOf(provider)).host } });
});
after(async () => {
  await stage?.end();
  provider?.close();
});

/** An organization of its own for a journey: one event, and these people by their roles. */
async function organization(name, people = {}, policy = {}) {
  const of = `/v1/organizations/${name}`;
  await stage.call("POST", "/v1/events", { organization: name, action: "price_list.changed", description: ACTION, actor: { id: "u_1", name: "Omar" } });
  await stage.call("PUT", of, { policy });
  for (const [called, role] of Object.entries(people)) await stage.call("POST", `${of}/users`, person(name, called, role));
  return { of, name, who: (called) => person(name, called, people[called]) };
}

/** The acts that the organization's ledger has of this action, newest first. */
async function acts(of, action) {
  const { events } = await stage.call("GET", `${of}/events?action=${action}`);
  return events;
}

const settingsLink = (page) => page.getByRole("navigation", { name: "Screens" }).getByRole("link", { name: "Settings" });
const typed = (page, name) => page.getByRole("textbox", { name }).or(page.getByRole("combobox", { name }));
const saved = (page) => page.getByRole("status").filter({ hasText: "Saved." }).waitFor();

describe("who may set up", () => {
  test("R-25: who may not administer sees no entry, and at the address is told whom to ask; nothing of the settings is asked for", async () => {
    const shop = await organization("hidden", { Sarah: "owner", Eve: "auditor" });
    await stage.onPage("/", async (page) => {
      const asked = [];
      page.on("request", (request) => request.url().includes("/v1/") && asked.push(new URL(request.url()).pathname));
      await signIn(page, shop.who("Eve"));
      await page.getByText(ACTION).first().waitFor();
      assert.equal(await settingsLink(page).count(), 0);
      await page.goto(`${stage.address}/settings/users`);
      await page.getByRole("heading", { name: "You cannot see these settings" }).waitFor();
      assert.match(await page.getByRole("main").innerText(), /owner, administrator/);
      assert.deepEqual(asked.filter((path) => path === shop.of || path.endsWith("/users")), []);
    });
    await stage.onPage("/", async (page) => {
      await signIn(page, shop.who("Sarah"));
      await settingsLink(page).click();
      await page.getByRole("heading", { level: 2, name: "Organization" }).waitFor();
    });
  });

  test("O-9, O-10, M-7, C-7: an administrator makes another one a plain user, and the log and its files are gone for them at once", async () => {
    const shop = await organization("revoke", { Sarah: "administrator", Bill: "administrator" }, { view_roles: ["administrator"], export_roles: ["administrator"] });
    await stage.onPage("/", async (page) => {
      await signIn(page, shop.who("Bill"));
      await page.getByText(ACTION).first().waitFor();
      await stage.onPage("/", async (sarahs) => {
        await signIn(sarahs, shop.who("Sarah"));
        await settingsLink(sarahs).click();
        await sarahs.getByRole("link", { name: "Users" }).click();
        await sarahs.getByRole("row", { name: /Bill/ }).getByText("look, take files, administer").waitFor();
        await sarahs.getByRole("button", { name: "Change Bill" }).click();
        await sarahs.getByLabel("Role").fill("user");
        await sarahs.getByText("With this: Nothing in this log").waitFor();
        await sarahs.getByRole("button", { name: "Save" }).click();
        await sarahs.getByRole("row", { name: /Bill/ }).getByText("Nothing in this log").waitFor();
      });
      await page.reload();
      await page.getByRole("heading", { name: "You cannot see this log" }).waitFor();
      assert.equal(await page.getByText(ACTION).count(), 0);
      assert.equal(await page.evaluate(async (path) => (await fetch(path)).status, `${shop.of}/events.csv`), 403);
    });
    const [changed] = await acts(shop.of, "trailbook.user.role_changed");
    assert.deepEqual(changed.changes, [{ field: "role", before: "administrator", after: "user" }]);
  });

  test("C-4, C-5, C-6, C-8: the log of owners alone is a policy's three lines, and nobody else sees it", async () => {
    const shop = await organization("owners", { Sarah: "owner", Bill: "administrator", Ann: "standard" });
    await stage.onPage("/", async (page) => {
      await signIn(page, shop.who("Sarah"));
      await settingsLink(page).click();
      for (const [field, value] of [["Roles that may look", "owner"], ["Roles that may take files", "owner"]]) {
        await page.getByRole("button", { name: `Set ${field} here` }).click();
        await typed(page, field).fill(value);
      }
      await page.getByRole("button", { name: "Save" }).click();
      await saved(page);
    });
    assert.deepEqual((await stage.call("GET", shop.of)).policy, { view_roles: ["owner"], export_roles: ["owner"] });
    for (const called of ["Bill", "Ann"]) {
      await stage.onPage("/", async (page) => {
        await signIn(page, shop.who(called));
        await page.getByRole("heading", { name: "You cannot see this log" }).waitFor();
        assert.equal(await page.getByRole("navigation", { name: "Screens" }).count(), 0);
      });
    }
  });
});

describe("the organization's policy", () => {
  test("a field is set, acts on the screen at once, and is inherited again", async () => {
    const shop = await organization("fields", { Sarah: "owner" });
    await stage.onPage("/", async (page) => {
      await signIn(page, shop.who("Sarah"));
      await settingsLink(page).click();
      await page.getByRole("button", { name: "Set Title here" }).click();
      await typed(page, "Title").fill("Who did what");
      await page.getByRole("button", { name: "Save" }).click();
      await saved(page);
      await page.getByRole("link", { name: "Activity" }).click();
      await page.getByRole("heading", { level: 1, name: "Who did what" }).waitFor();
      await page.goBack();
      await page.getByRole("button", { name: "Inherit Title from the project" }).click();
      await page.getByRole("button", { name: "Save" }).click();
      await saved(page);
    });
    assert.deepEqual((await stage.call("GET", shop.of)).policy, {});
  });

  test("a fault stands at its field, and what is no number of days is not taken for no limit", async () => {
    const shop = await organization("faults", { Sarah: "owner" }, { max_range_days: 30 });
    await stage.onPage("/settings/organization", async (page) => {
      await signIn(page, shop.who("Sarah"));
      const range = typed(page, "Widest range in days");
      await range.fill("thirty");
      await page.getByRole("button", { name: "Save" }).click();
      await page.getByText("Write a whole number of days, or leave it empty.").waitFor();
      assert.equal(await range.getAttribute("aria-invalid"), "true");
      await range.fill("40");
      await page.getByRole("button", { name: "Set Columns here" }).click();
      const columns = typed(page, "Columns");
      await columns.fill('[{"id": "when", "label": "When", "value": "{nothing.of.that}"}]');
      await page.getByRole("button", { name: "Save" }).click();
      await page.getByRole("alert").filter({ hasText: "/0/value" }).waitFor();
      assert.equal(await columns.getAttribute("aria-invalid"), "true");
    });
    assert.deepEqual((await stage.call("GET", shop.of)).policy, { max_range_days: 30 });
  });

  test("what somebody else changed meanwhile is not undone: the newer version is offered, and what was typed stays", async () => {
    const shop = await organization("conflict", { Sarah: "owner" });
    await stage.onPage("/settings/organization", async (page) => {
      await signIn(page, shop.who("Sarah"));
      await page.getByRole("button", { name: "Set Title here" }).click();
      await typed(page, "Title").fill("Mine");
      await stage.call("PUT", shop.of, { policy: { coverage_note: "Theirs" } });
      await page.getByRole("button", { name: "Save" }).click();
      const alert = page.getByRole("alert");
      await alert.getByText("Somebody else has changed these settings meanwhile").waitFor();
      await alert.getByText("They changed: What the log covers.").waitFor();
      assert.deepEqual((await stage.call("GET", shop.of)).policy, { coverage_note: "Theirs" });
      await alert.getByRole("button", { name: "Keep what I typed" }).click();
      assert.equal(await typed(page, "What the log covers").inputValue(), "Theirs");
      await page.getByRole("button", { name: "Save" }).click();
      await saved(page);
    });
    assert.deepEqual((await stage.call("GET", shop.of)).policy, { coverage_note: "Theirs", title: "Mine" });
  });

  test("a shorter retention that waits: other fields are saved only with the word whether it stands, and it can be taken back", async () => {
    const shop = await organization("pending", { Sarah: "owner" }, { retention_days: 30 });
    await stage.onPage("/settings/organization", async (page) => {
      await signIn(page, shop.who("Sarah"));
      await page.getByText(/events will be kept 30 days/).waitFor();
      await page.getByRole("button", { name: "Set Title here" }).click();
      await typed(page, "Title").fill("Log");
      assert.ok(await page.getByRole("button", { name: "Save" }).isDisabled());
      await page.getByLabel("Let it stand").check();
      await page.getByRole("button", { name: "Save" }).click();
      await saved(page);
      assert.equal((await stage.call("GET", shop.of)).pending_retention.retention_days, 30);
      await page.getByLabel("Take it back").check();
      await page.getByRole("button", { name: "Save" }).click();
      await saved(page);
    });
    const { policy, pending_retention } = await stage.call("GET", shop.of);
    assert.deepEqual([policy, pending_retention], [{ retention_days: null, title: "Log" }, null]);
  });
});

describe("a shorter retention that comes meanwhile", () => {
  // The days in force stay the same for seven days, so that a draft of them looked like nothing and took root's shortening back.
  test("it is named, what was typed of the days does not take it back, and nothing is saved before it is said whether it stands", async () => {
    const shop = await organization("meanwhile", { Sarah: "owner" });
    await stage.onPage("/settings/organization", async (page) => {
      await signIn(page, shop.who("Sarah"));
      for (const [field, value] of [["Title", "Mine"], ["Days that events are kept", ""]]) {
        await page.getByRole("button", { name: `Set ${field} here` }).click();
        await typed(page, field).fill(value);
      }
      await stage.call("PUT", shop.of, { policy: { retention_days: 30 } });
      const save = page.getByRole("button", { name: "Save" });
      await save.click();
      const alert = page.getByRole("alert");
      await alert.getByText("They changed: Days that events are kept.").waitFor();
      await alert.getByText("A shorter retention waits that you have not seen: 30 days.").waitFor();
      await alert.getByRole("button", { name: "Keep what I typed" }).click();
      await page.getByText("say above whether it stands").waitFor();
      assert.deepEqual(await Promise.all([save.isDisabled(), page.getByLabel("Let it stand").isChecked(), page.getByLabel("Take it back").isChecked()]), [true, false, false]);
      await page.getByLabel("Let it stand: 30 days").check();
      await save.click();
      await saved(page);
    });
    const { policy, pending_retention } = await stage.call("GET", shop.of);
    assert.deepEqual([policy.title, pending_retention.retention_days], ["Mine", 30]);
  });
});

describe("users", () => {
  test("the root key invites somebody by a link that is shown once, and deletes them after asking", async () => {
    const shop = await organization("people");
    await stage.onPage(`/settings/users#key={key}&organization=${shop.name}`, async (page) => {
      await page.getByText("Nobody yet.").waitFor();
      await page.getByRole("button", { name: "Invite somebody" }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByLabel("E-mail").fill("ann@people.example");
      await dialog.getByLabel("Role").fill("auditor");
      await dialog.getByLabel("The link").selectOption("answer");
      await dialog.getByRole("button", { name: "Invite somebody" }).click();
      const link = await dialog.getByLabel("Link", { exact: true }).inputValue();
      assert.match(link, /#tb_link_/);
      await dialog.getByRole("button", { name: "I have kept it" }).click();
      await page.getByRole("row", { name: /ann@people\.example/ }).getByText("Invited").waitFor();
      assert.ok(!(await page.content()).includes(link));

      await page.getByRole("button", { name: "Change ann@people.example" }).click();
      await page.getByRole("button", { name: "Delete", exact: true }).click();
      await dialog.getByText("This cannot be undone.").waitFor();
      await dialog.getByRole("button", { name: "Cancel" }).click();
      assert.equal((await stage.call("GET", `${shop.of}/users`)).users.length, 1);
      await page.getByRole("button", { name: "Change ann@people.example" }).click();
      await page.getByRole("button", { name: "Delete", exact: true }).click();
      await dialog.getByRole("button", { name: "Delete this user" }).click();
      await page.getByText("Nobody yet.").waitFor();
    });
  });

  test("what the server refuses stands at its field", async () => {
    const shop = await organization("refusals", { Sarah: "owner" });
    await stage.onPage("/settings/users", async (page) => {
      await signIn(page, shop.who("Sarah"));
      await page.getByRole("button", { name: "Change Sarah" }).click();
      await page.getByLabel("Role").fill("auditor");
      await page.getByRole("button", { name: "Save" }).click();
      await page.getByRole("dialog").getByRole("alert").waitFor();
      await page.keyboard.press("Escape");
      await page.getByRole("dialog").waitFor({ state: "detached" });
    });
    assert.equal((await stage.call("GET", `${shop.of}/users`)).users[0].role, "owner");
  });
});

describe("keys and tokens", () => {
  test("a key is shown once, does what its scopes say, and nothing once it is revoked", async () => {
    const shop = await organization("keys", { Sarah: "owner" });
    await stage.onPage("/settings/keys", async (page) => {
      await signIn(page, shop.who("Sarah"));
      await page.getByText("No keys yet.").waitFor();
      await page.getByRole("button", { name: "Make a key" }).click();
      const dialog = page.getByRole("dialog");
      // Nobody writes into the log that they administer.
      assert.equal(await dialog.getByLabel("events:write").count(), 0);
      await dialog.getByLabel("Name").fill("reports");
      await dialog.getByLabel("events:read").check();
      await dialog.getByRole("button", { name: "Make a key" }).click();
      const key = await dialog.getByLabel("Key", { exact: true }).inputValue();
      const read = async () => (await fetch(`${stage.address}${shop.of}/events/count`, { headers: { Authorization: `Bearer ${key}` } })).status;
      assert.equal(await read(), 200);
      await dialog.getByRole("button", { name: "I have kept it" }).click();
      await page.getByRole("row", { name: /reports/ }).getByText("events:read").waitFor();
      assert.ok(!(await page.content()).includes(key));
      await page.getByRole("button", { name: "Revoke reports" }).click();
      await dialog.getByRole("button", { name: "Revoke the key" }).click();
      await page.getByText("No keys yet.").waitFor();
      assert.equal(await read(), 401);
    });
  });

  test("a key is copied out of its dialog on a page without TLS too, which has no clipboard", async () => {
    const shop = await organization("copied", { Sarah: "owner" });
    await stage.onPage("/settings/keys", async (page) => {
      await signIn(page, shop.who("Sarah"));
      await page.evaluate(() => Object.defineProperty(navigator, "clipboard", { value: undefined }));
      const make = page.getByRole("button", { name: "Make a key" });
      await make.first().click();
      const dialog = page.getByRole("dialog");
      await dialog.getByLabel("Name").fill("reports");
      await dialog.getByLabel("events:read").check();
      await dialog.getByRole("button", { name: "Make a key" }).click();
      const key = await dialog.getByLabel("Key", { exact: true }).inputValue();
      await dialog.getByRole("button", { name: "Copy Key" }).click();
      const copied = dialog.getByRole("button", { name: "Copied" });
      await copied.waitFor();
      assert.ok(await copied.evaluate((button) => button === document.activeElement));
      await dialog.getByRole("button", { name: "I have kept it" }).click();
      await make.first().click();
      await dialog.getByLabel("Name").focus();
      await page.keyboard.press("Control+V");
      assert.equal(await dialog.getByLabel("Name").inputValue(), key);
    });
  });

  test("a viewer token's link is shown once, shows what its filter lets through, and a faulty filter is refused at its field", async () => {
    const shop = await organization("tokens", { Sarah: "owner" });
    await stage.onPage("/settings/tokens", async (page) => {
      await signIn(page, shop.who("Sarah"));
      await page.getByRole("button", { name: "Make a token" }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByLabel("Id of the person").fill("p_1");
      await dialog.getByLabel("Role", { exact: true }).fill("auditor");
      await dialog.getByLabel("Only events that match").fill("actor:(");
      await dialog.getByRole("button", { name: "Make a token" }).click();
      await dialog.getByRole("alert").waitFor();
      assert.equal(await dialog.getByLabel("Only events that match").getAttribute("aria-invalid"), "true");
      await dialog.getByLabel("Only events that match").fill("actor:u_1");
      await dialog.getByRole("button", { name: "Make a token" }).click();
      const { pathname, hash } = new URL(await dialog.getByLabel("Link", { exact: true }).inputValue());
      await stage.onPage(pathname + hash, async (theirs) => {
        await theirs.getByText(ACTION).first().waitFor();
        assert.equal(await settingsLink(theirs).count(), 0);
      });
      await dialog.getByRole("button", { name: "I have kept it" }).click();
      await page.getByRole("row", { name: /p_1/ }).getByText("actor:u_1").waitFor();
    });
  });
});

describe("catalog and single sign-on", () => {
  test("an action is found by its words, and leads to its events", async () => {
    await stage.call("PUT", "/v1/projects/default/catalog", {
      areas: [{ id: "prices", name: "Prices" }],
      actions: [
        { id: "price_list.changed", name: "Price list changed", area: "prices", action_type: "update" },
        { id: "user.removed", name: "User removed", security: true, why: "They lose everything." },
      ],
    });
    const shop = await organization("catalog", { Sarah: "owner" });
    await stage.onPage("/settings/catalog", async (page) => {
      await signIn(page, shop.who("Sarah"));
      await page.getByText("2 actions").waitFor();
      await page.getByText("They lose everything.").waitFor();
      await page.getByRole("searchbox", { name: "Find an action" }).fill("list changed");
      await page.getByText("1 action", { exact: true }).waitFor();
      await page.getByRole("region", { name: "Prices" }).getByRole("link", { name: "Price list changed" }).click();
      await page.waitForURL(/q=action/);
      await page.getByText(/^1 event/).first().waitFor();
    });
  });

  test("a wrong line of roles and a provider that the server does not reach are told, and nothing is set", async () => {
    const shop = await organization("provider", { Sarah: "owner" });
    await stage.onPage("/settings/single-sign-on", async (page) => {
      await signIn(page, shop.who("Sarah"));
      await page.getByLabel("Issuer").fill("http://127.0.0.1:1");
      await page.getByLabel("Client", { exact: true }).fill("trailbook");
      await page.getByLabel("Client secret").fill("secret");
      await page.getByLabel("Roles of groups").fill("admins");
      await page.getByRole("button", { name: "Save" }).click();
      await page.getByText("Write group = role: admins").waitFor();
      await page.getByLabel("Roles of groups").fill("admins = owner");
      await page.getByRole("button", { name: "Save" }).click();
      await page.getByRole("alert").waitFor();
      assert.equal(await page.getByText("Saved.").count(), 0);
    });
  });

  // An object of a browser has names that look like numbers first: what was saved here would have given other rights to who is in both groups.
  test("roles whose order the page cannot keep are not saved by it, and the command that can is named", async () => {
    const shop = await organization("numbered", { Sarah: "owner" });
    const issuer = addressOf(provider);
    const set = (roles) => stage.call("PUT", `${shop.of}/single-sign-on`, { issuer, client_id: "trailbook", client_secret: "secret", groups_claim: "groups", roles, default_role: null });
    const stored = async () => (await stage.call("GET", `${shop.of}/single-sign-on`)).roles;
    await set({ zebra: "auditor", admins: "owner" });
    await stage.onPage("/settings/single-sign-on", async (page) => {
      await signIn(page, shop.who("Sarah"));
      const [roles, save] = [page.getByLabel("Roles of groups"), page.getByRole("button", { name: "Save" })];
      assert.equal(await roles.inputValue(), "zebra = auditor\nadmins = owner");
      await roles.fill("admins = owner\n100 = auditor");
      await save.click();
      await page.getByRole("alert").getByText("The group 100 looks like a number").waitFor();
      assert.equal(await roles.getAttribute("aria-invalid"), "true");
      await roles.fill("zebra = owner\nadmins = auditor");
      await save.click();
      await saved(page);
      assert.deepEqual(Object.entries(await stored()), [["zebra", "owner"], ["admins", "auditor"]]);

      await set({ admins: "owner", 100: "auditor" });
      await page.reload();
      await page.getByRole("alert").getByText("Change the provider with the command trailbook single-sign-on.").waitFor();
      assert.ok(await save.isDisabled());
    });
  });
});

/** An identity provider that describes itself, and nothing more. */
async function identityProvider() {
  const server = createServer((request, response) => {
    const issuer = addressOf(server);
    const described = {
      ...{ issuer, authorization_endpoint: `${issuer}/auth`, token_endpoint: `${issuer}/token`, userinfo_endpoint: `${issuer}/me`, jwks_uri: `${issuer}/jwks` },
      ...{ response_types_supported: ["code"], subject_types_supported: ["public"], id_token_signing_alg_values_supported: ["RS256"], code_challenge_methods_supported: ["S256"] },
    };
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify(request.url === "/jwks" ? { keys: [] } : described));
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  return server;
}

function addressOf(server) {
  return `http://127.0.0.1:${server.address().port}`;
}
