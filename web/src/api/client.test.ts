// Calls as they go out: who sends what, and what an answer ends.
import { expect, test } from "vitest";
import { createAuth, singleSignOnAddress } from "./auth";
import { createClient, type Access } from "./client";
import { Problem } from "./problem";

/** A server that answers so, and the requests that it got. */
function server(status: number, body = "{}") {
  const requests: Request[] = [];
  const send: typeof fetch = async (address, request) => {
    requests.push(new Request(new URL(String(address), "http://log.example"), request));
    return new Response(status === 204 ? null : body, { status });
  };
  return { requests, send };
}

const session: Access = { kind: "session", organization: "o", project: "shop", person: "Sarah", email: "sarah@o.example", isOperator: false };
const token: Access = { kind: "token", organization: "o", project: null, key: "secret" };

test("a session is the browser's cookie, a key or token is a header, and never both", async () => {
  const { requests, send } = server(200);
  await createClient(session, { send }).policy();
  await createClient(token, { send }).policy();
  expect(requests.map((request) => [request.credentials, request.headers.get("Authorization"), request.headers.get("Trailbook-Project")])).toEqual([
    ["same-origin", null, "shop"],
    ["omit", "Bearer secret", null],
  ]);
});

test.each([
  [401, 1],
  [403, 0],
  [500, 0],
])("an answer of %i ends the access %i times", async (status, want) => {
  let ends = 0;
  const reading = createClient(session, { onEnd: () => ends++, send: server(status).send }).policy();
  await expect(reading).rejects.toBeInstanceOf(Problem);
  expect(ends).toBe(want);
});

test("what changes something says that our own page asks", async () => {
  const { requests, send } = server(204);
  const auth = createAuth(send);
  await auth.signIn({ email: "sarah@shop.example", password: "p", organization: undefined });
  await auth.signOut();
  await auth.requestReset({ email: "sarah@shop.example" });
  await auth.setPassword({ token: "t", password: "p" });
  for (const request of requests) expect([request.method, request.headers.get("Trailbook-Console"), request.credentials]).toEqual(["POST", "1", "same-origin"]);
  expect(await requests[0]!.json()).toEqual({ email: "sarah@shop.example", password: "p" });
});

test("nobody is signed in only when the server says so", async () => {
  expect(await createAuth(server(401).send).session()).toBeNull();
  await expect(createAuth(server(503).send).session()).rejects.toBeInstanceOf(Problem);
});

test("single sign-on names the organization whatever it is called", () =>
  expect(singleSignOnAddress("A & B", "shop")).toBe("/auth/single-sign-on?organization=A+%26+B&return_to=%2F&project=shop"));
