// Streams, in a real browser against the real binary, which delivers to a real receiver; stage.mjs says what it needs.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { isSigned, setReceiver } from "./receiver.mjs";
import { setStage, signIn } from "./stage.mjs";

const OF = "/v1/organizations/shop";
const PASSWORD = "correct horse battery staple";
const person = (name, role) => ({ email: `${name.toLowerCase()}@shop.example`, name, role, password: PASSWORD });
const [SARAH, ADA] = [person("Sarah", "owner"), person("Ada", "administrator")];
const [OLGA, EVE] = [person("Olga", "owner"), person("Eve", "auditor")];

let stage, receiver;
before(async () => {
  receiver = await setReceiver();
  stage = await setStage({ environment: { TRAILBOOK_PRIVATE_DESTINATIONS: receiver.host } });
  await stage.call("PUT", OF, { policy: { export_roles: ["owner"] } });
  await send("Prices raised");
  for (const user of [SARAH, ADA]) await stage.call("POST", `${OF}/users`, user);
  await stage.call("POST", "/v1/organizations/_system/users", OLGA);
  await stage.call("PUT", "/v1/organizations/office", {});
  await stage.call("POST", "/v1/organizations/office/users", EVE);
});
after(async () => {
  await stage?.end();
  receiver?.end();
});

const send = (description, action = "price.changed") => stage.call("POST", "/v1/events", { organization: "shop", action, action_type: "update", description, actor: { id: "u_1", name: "Omar" } });
const acts = async (action) => (await stage.call("GET", `${OF}/events?action=${action}`)).events;
const webhook = (name, path, more = {}) => stage.call("POST", `${OF}/streams`, { name, destination: { type: "webhook", url: receiver.address + path, headers: {} }, secrets: {}, interval_seconds: 1, ...more });
const remove = ({ id }) => stage.call("DELETE", `${OF}/streams/${id}`);
const card = (page, name) => page.getByRole("listitem", { name, exact: true });
const button = (page, name) => page.getByRole("button", { name, exact: true });
const onStreams = (use, options) => stage.onPage("/streams#key={key}&organization=shop", use, options);

/** Looks at the list again and again until `isSo`. */
async function shows(page, name, words) {
  const place = card(page, name).filter({ hasText: words });
  for (let look = 0; look < 20 && (await place.count()) === 0; look++) {
    await page.waitForTimeout(500);
    await page.reload();
    await card(page, name).waitFor();
  }
  await place.waitFor();
}

describe("streams", () => {
  test("one is set up, its secret is shown once, and what is delivered is signed by it", () =>
    stage.onPage("/", async (page) => {
      await signIn(page, SARAH);
      await page.getByRole("link", { name: "Streams" }).click();
      await page.getByText("No streams yet.").waitFor();
      await page.getByRole("link", { name: "New stream" }).click();
      await page.getByLabel("Name").fill("Hook of the shop");
      await page.getByLabel("Kind").selectOption("webhook");
      await page.getByLabel("URL").fill(`${receiver.address}/made`);
      await page.getByLabel("Headers").fill("Environment: production");
      await button(page, "Add a secret header").click();
      await page.getByLabel("Name of the header").fill("Authorization");
      await page.getByLabel("Its secret value").fill("Bearer hush");
      await page.getByRole("combobox", { name: "Only events that match" }).fill("type:update");
      await page.getByText(/1 event matches in the last 7 days/).waitFor();
      await page.getByLabel("From when on").selectOption("beginning");
      await page.getByLabel("Seconds between deliveries, at most").fill("1");
      await button(page, "Create the stream").click();
      const secret = await page.getByRole("dialog").getByLabel("Signing secret", { exact: true }).inputValue();
      assert.match(secret, /^whsec_/);
      await button(page, "I have kept it").click();
      await shows(page, "Hook of the shop", /Up to date/);
      assert.ok(!(await page.content()).includes(secret));

      const [delivery] = await receiver.received("/made", 1);
      assert.match(delivery.body, /Prices raised/);
      assert.deepEqual([delivery.headers["environment"], delivery.headers["authorization"]], ["production", "Bearer hush"]);
      assert.ok(isSigned(delivery, secret));

      await page.getByRole("link", { name: "Change Hook of the shop" }).click();
      await page.getByRole("group", { name: "Signing secret", exact: true }).getByText("Set", { exact: true }).waitFor();
      await button(page, "Remove Header Authorization").click();
      await page.getByLabel("Name").fill("Hook");
      await button(page, "Save").click();
      await card(page, "Hook").waitFor();
      const [stream] = (await stage.call("GET", `${OF}/streams`)).streams;
      assert.deepEqual([stream.name, stream.secrets, stream.destination.headers], ["Hook", ["secret"], { Environment: "production" }]);

      await button(page, "Delete Hook").click();
      await page.getByRole("dialog").getByText("This cannot be undone.", { exact: false }).waitFor();
      assert.equal((await acts("trailbook.stream.deleted")).length, 0);
      await button(page, "Delete the stream").click();
      await page.getByText("No streams yet.").waitFor();
    }));

  test("a test tells what the destination said, and a stream is paused and goes on", async () => {
    const stream = await webhook("Tested", "/tested");
    await onStreams(async (page) => {
      await button(page, "Test Tested").click();
      await card(page, "Tested").getByRole("status").filter({ hasText: /^A made-up event was delivered in/ }).waitFor();
      receiver.answer("/tested", 500);
      await button(page, "Test Tested").click();
      await card(page, "Tested").getByRole("alert").filter({ hasText: /^The made-up event was not delivered: .*500/ }).waitFor();
      receiver.answer("/tested", 200);
      await button(page, "Pause Tested").click();
      await card(page, "Tested").getByText("Paused", { exact: true }).waitFor();
      await button(page, "Resume Tested").click();
      await card(page, "Tested").getByText("Running", { exact: true }).waitFor();
    });
    await remove(stream);
  });

  test("a destination that is away: the card says what it said and how far the stream is behind, and that it is up to date again", async () => {
    receiver.answer("/away", 503);
    const stream = await webhook("Away", "/away", { start: "beginning" });
    await onStreams(async (page) => {
      await shows(page, "Away", /Failing/);
      await card(page, "Away").getByText(/503/).waitFor();
      await card(page, "Away").getByText(/\d+ events?, /).waitFor();
      receiver.answer("/away", 200);
      await shows(page, "Away", /Up to date/);
    });
    await remove(stream);
  });

  test("what was delivered is sent again from a sequence number on, with the same ids, once that was said", async () => {
    const stream = await webhook("Replayed", "/replayed", { start: "beginning", filter: "action:price.changed" });
    const before = await receiver.received("/replayed", 1);
    await onStreams(async (page) => {
      await button(page, "Replay Replayed").click();
      const dialog = page.getByRole("dialog");
      await dialog.getByText("with the same ids", { exact: false }).waitFor();
      await dialog.getByLabel("From", { exact: true }).selectOption("sequence");
      await dialog.getByLabel("A sequence number").fill("0");
      await button(page, "Send again from there").click();
      await dialog.waitFor({ state: "detached" });
    });
    const after = await receiver.received("/replayed", before.length + 1);
    const idsOf = ({ body }) => body.match(/"id":"[^"]+"/g);
    assert.deepEqual(idsOf(after.at(-1)), idsOf(before[0]));
    assert.equal((await acts("trailbook.stream.replayed")).length, 1);
    await remove(stream);
  });

  test("events that a destination refuses are shown with the reason, opened, sent again, and given up after asking", async () => {
    receiver.refuse("/picky", "teleported", 422);
    const stream = await webhook("Picky", "/picky");
    await send("Somebody teleported", "user.teleported");
    await onStreams(async (page) => {
      const parked = () => page.getByRole("button", { name: /^Show 1 event that was refused/ });
      await shows(page, "Picky", /Refused\s*1/);
      await parked().click();
      const dialog = page.getByRole("dialog", { name: "What Picky refused" });
      await dialog.getByText(/422/).waitFor();
      await dialog.getByRole("link", { name: /^Event/ }).click();
      await page.getByRole("heading", { name: /teleported/ }).or(page.locator(".detail").getByText("teleported")).first().waitFor();
      await page.goBack();
      await parked().click();
      await button(page, "Send again").click();
      await dialog.getByText("0 events delivered, 1 refused again.").waitFor();
      await button(page, "Give them up…").click();
      assert.equal((await acts("trailbook.stream.parked_dropped")).length, 0);
      await button(page, "Give them up").click();
      await page.getByRole("dialog").waitFor({ state: "detached" });
      await shows(page, "Picky", /Refused\s*0/);
    });
    assert.equal((await acts("trailbook.stream.parked_dropped")).length, 1);
    await remove(stream);
  });

  test("a fault stands at its field, and what somebody else changed meanwhile is not undone", async () => {
    const stream = await webhook("Theirs", "/theirs");
    await onStreams(async (page) => {
      await page.getByRole("link", { name: "Change Theirs" }).click();
      await page.getByLabel("URL").fill("ftp://files.example/x");
      await button(page, "Save").click();
      // The secret that is set stays with the server that it was given for: it is asked for where it stands.
      const secret = page.getByLabel("Signing secret", { exact: true });
      await secret.and(page.locator('[aria-invalid="true"]')).waitFor();
      await secret.fill(`whsec_${Buffer.alloc(32, 7).toString("base64")}`);
      await button(page, "Save").click();
      await page.getByLabel("URL").and(page.locator('[aria-invalid="true"]')).waitFor();
      assert.match(await page.getByRole("alert").textContent(), /https/);
      const filter = page.getByRole("combobox", { name: "Only events that match" });
      await filter.fill("type:");
      await filter.blur();
      await page.locator(".query-fault").waitFor();
      await filter.fill("");
      await page.getByLabel("URL").fill(`${receiver.address}/mine`);
      await stage.call("PUT", `${OF}/streams/${stream.id}`, { name: "Renamed", destination: stream.destination, secrets: {}, interval_seconds: 1 });
      await button(page, "Save").click();
      await page.getByRole("alert").waitFor();
    });
    const now = await stage.call("GET", `${OF}/streams/${stream.id}`);
    assert.deepEqual([now.name, now.destination.url], ["Renamed", `${receiver.address}/theirs`]);
    await remove(stream);
  });

  test("the streams of the whole project have a list of their own", () =>
    onStreams(async (page) => {
      await page.getByRole("link", { name: "Of the whole project" }).click();
      await page.getByText("No streams yet.").waitFor();
      await page.getByRole("link", { name: "New stream" }).click();
      await page.getByLabel("Name").fill("Everything");
      await page.getByLabel("Kind").selectOption("webhook");
      await page.getByLabel("URL").fill(`${receiver.address}/all`);
      await button(page, "Create the stream").click();
      await button(page, "I have kept it").click();
      await card(page, "Everything").waitFor();
      const { streams } = await stage.call("GET", "/v1/streams");
      assert.deepEqual(streams.map(({ name, organization }) => [name, organization]), [["Everything", null]]);
      await page.getByRole("link", { name: "Of shop" }).click();
      await card(page, "Everything").waitFor({ state: "detached" });
    }));

  test("an operator has those of the whole project that they look at", async () => {
    await stage.call("PUT", "/v1/projects/second", {});
    await stage.call("PUT", "/v1/organizations/branch", {}, "second");
    const { id } = await stage.call("POST", "/v1/streams", { name: "All of the first", destination: { type: "webhook", url: `${receiver.address}/first`, headers: {} }, secrets: {} });
    await stage.call("POST", "/v1/streams", { name: "All of the second", destination: { type: "webhook", url: `${receiver.address}/second`, headers: {} }, secrets: {} }, "second");
    await stage.onPage("/", async (page) => {
      await signIn(page, OLGA);
      await page.getByRole("navigation", { name: "Screens" }).waitFor();
      for (const [place, own, other] of [["organization=shop&project=default", "All of the first", "All of the second"], ["organization=branch&project=second", "All of the second", "All of the first"]]) {
        await page.goto(`${stage.address}/streams?${place}`);
        await page.getByRole("link", { name: "Of the whole project" }).click();
        await card(page, own).waitFor();
        assert.equal(await card(page, other).count(), 0);
        await button(page, `Pause ${own}`).click();
        await card(page, own).getByText("Paused", { exact: true }).waitFor();
      }
    });
    await stage.call("DELETE", `/v1/streams/${id}`);
  });

  test("who administers one organization has only its own", () =>
    stage.onPage("/", async (page) => {
      await signIn(page, SARAH);
      await page.getByRole("link", { name: "Streams" }).click();
      await page.getByText("No streams yet.").waitFor();
      assert.equal(await page.getByRole("link", { name: "Of the whole project" }).count(), 0);
      await page.goto(`${stage.address}/streams?of=project`);
      await page.getByRole("alert").waitFor();
      assert.equal(await page.getByRole("listitem").filter({ hasText: "Webhook" }).count(), 0);
    }));

  test("an auditor has files, and neither streams nor alerts", () =>
    stage.onPage("/", async (page) => {
      await signIn(page, EVE);
      const screens = page.getByRole("navigation", { name: "Screens" });
      await screens.getByRole("link", { name: "Exports" }).waitFor();
      assert.equal(await screens.getByRole("link", { name: /Streams|Alerts/ }).count(), 0);
      for (const path of ["/streams", "/alerts/new"]) {
        await page.goto(stage.address + path);
        await page.getByRole("alert").filter({ hasText: "do not let you" }).waitFor();
      }
    }));

  test("who may not take files sees no entry, and at the address is told so; nothing of the streams is asked for", () =>
    stage.onPage("/", async (page) => {
      const asked = [];
      page.on("request", (request) => /\/(streams|alerts)/.test(new URL(request.url()).pathname) && request.url().includes("/v1/") && asked.push(request.url()));
      await signIn(page, ADA);
      const screens = page.getByRole("navigation", { name: "Screens" });
      await screens.getByRole("link", { name: "Settings" }).waitFor();
      assert.equal(await screens.getByRole("link", { name: /Streams|Alerts|Exports/ }).count(), 0);
      for (const path of ["/streams", "/streams/new", "/alerts"]) {
        await page.goto(stage.address + path);
        await page.getByRole("alert").filter({ hasText: "do not let you" }).waitFor();
      }
      assert.deepEqual(asked, []);
    }));
});
