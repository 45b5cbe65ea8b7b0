// Renewal of tokens: a refused call is sent again by the next token, and what waits together asks once.
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createTokens, RENEWAL_MS_MAX } from "./tokens";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A server that takes these tokens; it keeps by which it was asked. */
function server(...good: string[]) {
  const asked: string[] = [];
  const call = async (_: unknown, init?: RequestInit) => {
    const token = new Headers(init?.headers).get("Authorization")?.replace("Bearer ", "") ?? "";
    asked.push(token);
    return new Response(null, { status: good.includes(token) ? 200 : 401 });
  };
  return { asked, call: call as typeof fetch };
}

test("a call that is refused is sent again by the token that was asked for", async () => {
  const { asked, call } = server("new");
  const tokens = createTokens(async () => "new", call);
  tokens.set("old");
  expect((await tokens.send("/")).status).toBe(200);
  expect(asked).toEqual(["old", "new"]);
  expect(tokens.now()).toBe("new");
});

test("calls that are refused together ask once", async () => {
  const ask = vi.fn(async () => "new");
  const tokens = createTokens(ask, server("new").call);
  tokens.set("old");
  const answers = await Promise.all([tokens.send("/1"), tokens.send("/2"), tokens.send("/3")]);
  expect(answers.map((answer) => answer.status)).toEqual([200, 200, 200]);
  expect(ask).toHaveBeenCalledOnce();
});

test("a token that the page sets by itself ends the waiting", async () => {
  const tokens = createTokens(async () => null, server("new").call);
  tokens.set("old");
  const answer = tokens.send("/");
  await vi.advanceTimersByTimeAsync(1_000);
  tokens.set("new");
  expect((await answer).status).toBe(200);
});

test.each([
  ["gives none", async () => null],
  ["fails to", async () => Promise.reject(new Error("down"))],
])("where nobody does (the page %s), the refusal is what is heard, and the next call asks anew", async (_, ask) => {
  const asks = vi.fn(ask);
  const tokens = createTokens(asks, server().call);
  tokens.set("old");
  for (const times of [1, 2]) {
    const answer = tokens.send("/");
    await vi.advanceTimersByTimeAsync(RENEWAL_MS_MAX);
    expect((await answer).status).toBe(401);
    expect(asks).toHaveBeenCalledTimes(times);
  }
});

test("a token that is refused too is not asked for again by the same call", async () => {
  const { asked, call } = server();
  const tokens = createTokens(async () => "also old", call);
  tokens.set("old");
  expect((await tokens.send("/")).status).toBe(401);
  expect(asked).toEqual(["old", "also old"]);
});
