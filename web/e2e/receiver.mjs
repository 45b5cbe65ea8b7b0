// A receiver of webhooks that keeps what it gets, and answers what it was told to.
import { createHmac } from "node:crypto";
import { createServer } from "node:http";

const PATIENCE_MS = 20_000;

export async function setReceiver() {
  const [deliveries, answers, refusals] = [[], new Map(), new Map()];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const piece of request) body += piece;
    const path = request.url;
    const refusal = refusals.get(path);
    const status = refusal !== undefined && body.includes(refusal.word) ? refusal.status : (answers.get(path) ?? 200);
    deliveries.push({ path, body, headers: request.headers, status });
    response.writeHead(status).end();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const host = `127.0.0.1:${server.address().port}`;
  return {
    host,
    address: `http://${host}`,
    answer: (path, status) => answers.set(path, status),
    /** Answers `status` to whatever has the word. */
    refuse: (path, word, status) => refusals.set(path, { word, status }),
    /** What was taken at a path, as soon as it is so much. */
    async received(path, count) {
      for (let waited = 0; waited < PATIENCE_MS; waited += 100) {
        const taken = deliveries.filter((each) => each.path === path && each.status === 200);
        if (taken.length >= count) return taken;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      throw new Error(`${count} deliveries did not come to ${path}`);
    },
    end: () => (server.closeAllConnections(), server.close()),
  };
}

/** Whether a delivery is signed by a secret, as the Standard Webhooks have it. */
export function isSigned({ headers, body }, secret) {
  const key = Buffer.from(secret.replace("whsec_", ""), "base64");
  const signature = createHmac("sha256", key).update(`${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`).digest("base64");
  return headers["webhook-signature"].split(" ").includes(`v1,${signature}`);
}
