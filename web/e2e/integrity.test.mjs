// What the browser proves by itself, against the real binary. Where a server must lie, its real answer is altered on the way.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, suite, test } from "node:test";
import { promisify } from "node:util";
import { BINARY, setStage } from "./stage.mjs";

const ORGANIZATION = "ledger";
const OF = `/v1/organizations/${ORGANIZATION}`;
const SIGNED_IN = `#key={key}&organization=${ORGANIZATION}`;

const sarah = { id: "u_81", name: "Sarah Khan" };
const bill = { id: "u_92", name: "Bill Hart" };

let stage;
const post = (count, actor = sarah) =>
  stage.call("POST", "/v1/events", { events: Array.from({ length: count }, (_, place) => ({ organization: ORGANIZATION, action: "role.updated", description: `Change ${place}`, actor, targets: [{ type: "user", name: "Mei" }], metadata: { plan: "gold" } })) });

before(async () => {
  stage = await setStage();
  await post(5);
});
after(() => stage?.end());

let size;
beforeEach(async () => {
  size = (await stage.call("GET", `${OF}/events/count`)).count;
});

const badge = (page, state) => page.locator(`.integrity-badge[data-state="${state}"]`);
const verdict = (page, kind) => page.locator(`.proof[data-verdict="${kind}"]`);

/** Opens the newest event of a list whose real answers `alter` changes on their way. */
async function openAltered(page, alter) {
  await page.route(/\/events(\/[0-9a-f-]{36})?(\?.*)?$/, async (route) => {
    const answer = await route.fetch();
    const body = await answer.json();
    (body.events ?? [body]).forEach(alter);
    await route.fulfill({ response: answer, json: body });
  });
  await page.reload();
  await page.locator(".open-event").first().click();
}

suite("integrity", () => {
  test("an event as it is stored holds, and what is outside of the proof is named", () =>
    stage.onPage(`/${SIGNED_IN}`, async (page) => {
      await openAltered(page, () => undefined);
      await verdict(page, "holds").waitFor();
      assert.match(await verdict(page, "holds").innerText(), /signed with this server’s key[\s\S]*comes from the server itself/);
      await openAltered(page, (event) => (event.country = "GB"));
      await verdict(page, "holds").getByText(/Not part of what is proven.*Country/).waitFor();
    }));

  const LIES = {
    "who did it": (event) => (event.actor.name = "Mallory"),
    "what was done": (event) => (event.description = "Nothing of note"),
    "to whom": (event) => (event.targets[0].name = "Somebody else"),
    "a value deep in the record": (event) => (event.metadata.plan = "silver"),
    "the organization": (event) => (event.organization = "other"),
    "the time of receipt": (event) => (event.received_at = "2020-01-01T00:00:00.000Z"),
    "a part that is said to be removed": (event) => ((event.redacted = ["actor"]), (event.actor = null)),
  };
  for (const [what, alter] of Object.entries(LIES)) {
    test(`one displayed field altered on the way turns the verdict red: ${what}`, () =>
      stage.onPage(`/${SIGNED_IN}`, async (page) => {
        await openAltered(page, alter);
        await verdict(page, "fails").waitFor();
        const red = await verdict(page, "fails").locator("b").evaluate((found) => getComputedStyle(found).color);
        const danger = await page.evaluate(() => {
          const probe = document.body.appendChild(document.createElement("i"));
          probe.style.color = "var(--danger)";
          return getComputedStyle(probe).color;
        });
        assert.equal(red, danger);
        assert.equal(await verdict(page, "holds").count(), 0);
      }));
  }

  test("a proof that is altered on the way does not hold", () =>
    stage.onPage(`/${SIGNED_IN}`, async (page) => {
      await page.route(/\/proof$/, async (route) => {
        const answer = await route.fetch();
        const proof = await answer.json();
        proof.hashes[0] = Buffer.alloc(32).toString("base64");
        await route.fulfill({ response: answer, json: proof });
      });
      await page.locator(".open-event").first().click();
      await verdict(page, "fails").getByText("does not lead to the checkpoint’s root").waitFor();
    }));

  test("without a key nothing is ticked and nothing is green", () =>
    stage.onPage(`/${SIGNED_IN}`, async (page) => {
      await page.route(/\/checkpoint-key$/, (route) => route.fulfill({ status: 404, contentType: "application/problem+json", body: JSON.stringify({ status: 404, detail: "none" }) }));
      await page.reload();
      await badge(page, "limited").getByText("Signature not checked · ").waitFor();
      await page.locator(".open-event").first().click();
      await verdict(page, "unsigned").getByText("nobody is known to stand by that checkpoint").waitFor();
      const colours = await verdict(page, "unsigned").evaluate((found) => {
        const probe = document.body.appendChild(document.createElement("i"));
        probe.style.color = "var(--ok)";
        return [getComputedStyle(probe).color, ...[...found.querySelectorAll("b, svg")].map((each) => getComputedStyle(each).color)];
      });
      assert.ok(colours.length > 1 && !colours.slice(1).includes(colours[0]), colours.join());
      assert.equal(await page.getByText("Included and unaltered").count(), 0);
    }));

  test("a key pinned by the reader is what everything is checked with: the right one holds, another one turns all red", async () => {
    const { vkey } = await stage.call("GET", `${OF}/checkpoint-key`);
    await stage.call("POST", "/v1/events", { organization: "other", action: "a", actor: sarah });
    const other = (await stage.call("GET", "/v1/organizations/other/checkpoint-key")).vkey;
    await stage.onPage(`/integrity${SIGNED_IN}`, async (page) => {
      const key = page.getByRole("region", { name: "Key" });
      const pin = async (text) => {
        await key.getByLabel("Verifier key").fill(text);
        await key.getByRole("button", { name: "Pin this key" }).click();
      };
      const leave = () => page.getByRole("navigation", { name: "Screens" }).getByRole("link", { name: "Activity" }).click();

      await key.getByText("Named by the server itself").waitFor();
      await pin(vkey.replace(/.$/, (last) => (last === "A" ? "B" : "A")));
      await key.getByRole("alert").getByText("This is no verifier key").waitFor();

      await pin(vkey);
      await key.getByText("Pinned by you, in this browser.").waitFor();
      await leave();
      await badge(page, "verified").waitFor();
      await page.locator(".open-event").first().click();
      await verdict(page, "holds").getByText("the key that you pinned").waitFor();
      await page.goBack();
      await page.goBack();

      await key.getByRole("button", { name: "Unpin" }).click();
      await pin(other);
      await page.locator('.integrity-state[data-state="failed"]').getByText("not signed with the key").waitFor();
      await leave();
      await badge(page, "failed").getByText("Not verified").waitFor();
      await page.locator(".open-event").first().click();
      await verdict(page, "fails").getByText("not signed with the key").waitFor();
      await page.reload();
      await badge(page, "failed").waitFor();
    });
  });

  test("what is kept of a ledger is the same by every way to it", async () => {
    const { vkey } = await stage.call("GET", `${OF}/checkpoint-key`);
    const { token } = await stage.call("POST", `${OF}/viewer-tokens`, { actor: { id: "p_2", name: "Auditor", role: "auditor" }, ttl_seconds: 600 });
    await stage.onPage(`/integrity${SIGNED_IN}`, async (page) => {
      const key = page.getByRole("region", { name: "Key" });
      await key.getByLabel("Verifier key").fill(vkey);
      await key.getByRole("button", { name: "Pin this key" }).click();
      await key.getByText("The key is pinned.").waitFor();
      for (const way of [`key=${stage.key}&project=default`, `token=${token}`]) {
        await page.goto("about:blank");
        await page.goto(`${stage.address}/integrity#organization=${ORGANIZATION}&${way}`);
        await key.getByText("Pinned by you, in this browser.").waitFor();
        await page.getByRole("region", { name: "Since the last visit" }).getByText("First seen here").waitFor();
      }
    });
  });

  test("a key that the browser cannot keep is not said to be pinned", async () => {
    const { vkey } = await stage.call("GET", `${OF}/checkpoint-key`);
    await stage.onPage(`/integrity${SIGNED_IN}`, async (page) => {
      await page.evaluate(() => (Storage.prototype.setItem = () => { throw new DOMException("full", "QuotaExceededError"); }));
      const key = page.getByRole("region", { name: "Key" });
      await key.getByLabel("Verifier key").fill(vkey);
      await key.getByRole("button", { name: "Pin this key" }).click();
      await key.getByText("This browser did not keep that").waitFor();
      await key.getByText("Named by the server itself").waitFor();
    });
  });

  test("detail 27: the badge says that the ledger continues what this browser saw, and leads to proof and command", () =>
    stage.onPage(`/${SIGNED_IN}`, async (page) => {
      await badge(page, "verified").getByText(`Verified · ${size} events`).waitFor();
      await post(3);
      await page.reload();
      await badge(page, "verified").getByText(`Verified · ${size + 3} events`).waitFor();
      await badge(page, "verified").getByRole("button").click();
      await page.getByText(new RegExp(`continues the one of ${size} events that this browser saw on`)).waitFor();
      await page.getByRole("link", { name: "More about integrity" }).click();
      await page.getByRole("region", { name: "Epochs" }).waitFor();
      const text = await page.getByRole("main").innerText();
      const { vkey, origin } = await stage.call("GET", `${OF}/checkpoint-key`);
      for (const wanted of [vkey, origin, `${size + 3} events`, "trailbook verify evidence.zip", "Epoch", "Received here"]) assert.ok(text.includes(wanted), `${wanted} is not in ${text}`);
    }));

  test("detail 27: until the checkpoint is there the badge only says that it is being checked", () =>
    stage.onPage(`/${SIGNED_IN}`, async (page) => {
      let answer;
      const held = new Promise((resolve) => (answer = resolve));
      await page.route(/\/checkpoint$/, async (route) => {
        await held;
        await route.continue();
      });
      await page.reload();
      await badge(page, "pending").getByText(`Checking ${size} events…`).waitFor();
      answer();
      await badge(page, "verified").waitFor();
    }));

  test("a ledger that does not continue what this browser saw turns the badge red until it is forgotten", () =>
    stage.onPage(`/${SIGNED_IN}`, async (page) => {
      await badge(page, "verified").waitFor();
      await post(2);
      await page.route(/\/consistency\?/, async (route) => {
        const answer = await route.fetch();
        const proof = await answer.json();
        proof.hashes = proof.hashes.map(() => Buffer.alloc(32, 7).toString("base64"));
        await route.fulfill({ response: answer, json: proof });
      });
      await page.reload();
      await badge(page, "failed").getByRole("button").click();
      await page.getByText("not a continuation of what this browser saw before").waitFor();
      await page.unroute(/\/consistency\?/);
      await page.getByRole("link", { name: "More about integrity" }).click();
      await page.getByRole("button", { name: "Forget what was seen" }).click();
      await page.locator('.integrity-state[data-state="verified"]').getByText("has not seen this ledger before").waitFor();
    }));

  test("an event proven in another tree than the one that the badge verified is red", () =>
    stage.onPage(`/${SIGNED_IN}`, async (page) => {
      await badge(page, "verified").waitFor();
      const older = await fetch(`${stage.address}${OF}/checkpoint`, { headers: { Authorization: `Bearer ${stage.key}` } }).then((answer) => answer.text());
      await post(2);
      await page.reload();
      await page.locator(".open-event").first().click();
      await verdict(page, "holds").waitFor();
      // The list is shown the ledger as it was seen, and the event another that does not continue it.
      await page.evaluate((note) => {
        const [name] = Object.keys(localStorage).filter((each) => each.startsWith("trailbook.seen "));
        localStorage.setItem(name, JSON.stringify({ ...JSON.parse(localStorage.getItem(name)), note }));
      }, older);
      await page.route(/\/checkpoint$/, (route) => route.fulfill({ body: older, contentType: "text/plain" }));
      await page.route(/\/consistency\?/, async (route) => {
        const answer = await route.fetch();
        const proof = await answer.json();
        proof.hashes = proof.hashes.map(() => Buffer.alloc(32, 7).toString("base64"));
        await route.fulfill({ response: answer, json: proof });
      });
      await page.reload();
      await badge(page, "verified").waitFor();
      await verdict(page, "fails").getByText("another ledger than the one that this browser saw").waitFor();
    }));

  test("a ledger that has become shorter is noticed", () =>
    stage.onPage(`/${SIGNED_IN}`, async (page) => {
      await badge(page, "verified").waitFor();
      const older = await fetch(`${stage.address}${OF}/checkpoint`, { headers: { Authorization: `Bearer ${stage.key}` } }).then((answer) => answer.text());
      await post(1);
      await page.reload();
      await badge(page, "verified").getByText(`Verified · ${size + 1} events`).waitFor();
      // A server that was set back shows an old checkpoint, rightly signed, and has no larger tree to prove anything of.
      await page.route(/\/checkpoint$/, (route) => route.fulfill({ body: older, contentType: "text/plain" }));
      await page.route(/\/consistency\?/, (route) => route.fulfill({ status: 400, contentType: "application/problem+json", body: JSON.stringify({ status: 400, detail: `the ledger has ${size} events.` }) }));
      await page.reload();
      await badge(page, "failed").getByRole("button").click();
      await page.getByText("fewer events than when this browser last looked").waitFor();
    }));

  test("a ledger that was set back is not verified, and what was seen remains what it must continue", () =>
    stage.onPage(`/${SIGNED_IN}`, async (page) => {
      const older = await fetch(`${stage.address}${OF}/checkpoint`, { headers: { Authorization: `Bearer ${stage.key}` } }).then((answer) => answer.text());
      await post(1);
      await page.reload();
      await badge(page, "verified").getByText(`Verified · ${size + 1} events`).waitFor();
      await page.route(/\/checkpoint$/, (route) => route.fulfill({ body: older, contentType: "text/plain" }));
      await page.reload();
      await badge(page, "limited").getByText(`Older than seen · ${size} events`).waitFor();
      await badge(page, "limited").getByRole("button").click();
      await page.getByText(`fewer events than the one of ${size + 1} events`).waitFor();
      assert.equal(await badge(page, "limited").locator("svg").count(), 0);
      await page.getByRole("link", { name: "More about integrity" }).click();
      await page.getByRole("region", { name: "Since the last visit" }).getByText(new RegExp(`, ${size + 1} events`)).last().waitFor();
    }));

  test("a reader whose token is filtered gets no consistency, and the badge says no more than it can", async () => {
    await post(1, bill);
    const made = await stage.call("POST", `${OF}/viewer-tokens`, { actor: { id: "p_1", name: "Partner", role: "auditor" }, filter: "actor:u_92", ttl_seconds: 600 });
    await stage.onPage(`/#organization=${ORGANIZATION}&token=${made.token}`, async (page) => {
      await badge(page, "limited").getByText("Signed · ").waitFor();
      await badge(page, "limited").getByRole("button").click();
      await page.getByText("nothing is said of that").waitFor();
      await page.keyboard.press("Escape");
      await page.locator(".open-event").first().click();
      await verdict(page, "holds").waitFor();
      assert.equal(await page.getByText("did not show how this tree").count(), 0);
    });
  });

  test("where the browser saw the ledger by another way, a filtered reader is told that an event was not compared with it", async () => {
    const made = await stage.call("POST", `${OF}/viewer-tokens`, { actor: { id: "p_1", name: "Partner", role: "auditor" }, filter: "actor:u_92", ttl_seconds: 600 });
    await stage.onPage(`/${SIGNED_IN}`, async (page) => {
      await badge(page, "verified").waitFor();
      await post(1, bill);
      await page.goto("about:blank");
      await page.goto(`${stage.address}/#organization=${ORGANIZATION}&token=${made.token}`);
      await page.locator(".open-event").first().click();
      await verdict(page, "holds").getByText("did not show how this tree").waitFor();
    });
  });

  test("the commands on the page, run as they stand, verify the ledger", () =>
    stage.onPage(`/integrity${SIGNED_IN}`, async (page) => {
      await page.locator('.integrity-state[data-state="verified"]').waitFor();
      const commands = await page.getByRole("region", { name: "Check it without this server" }).locator("pre").allInnerTexts();
      assert.equal(commands.length, 2);
      const folder = await mkdtemp(join(tmpdir(), "trailbook-offline-"));
      try {
        for (const command of commands) {
          const { stdout } = await promisify(execFile)("sh", ["-ec", `trailbook() { "$BINARY" "$@"; }\n${command}`], { cwd: folder, env: { ...process.env, BINARY, TRAILBOOK_KEY: stage.key } });
          assert.match(stdout, /^VERIFIED/m);
        }
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    }));
});
