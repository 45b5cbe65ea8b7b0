// A real OpenID Connect provider for the tests. Its first line on standard output is its issuer.
//
//   node provider.mjs REDIRECT_URI
//
// Clients `rs256`, `es256` and `eddsa` get ID tokens signed that way; their secret is `secret-of-` and the id. People are set by
// PUT /people/NAME with their claims; NAME is what one types into the provider's own page for signing in.
import { createServer } from "node:http";
import { generateKeyPairSync } from "node:crypto";
import Provider from "oidc-provider";

const [redirectUri] = process.argv.slice(2);
const people = new Map();

const key = (type, options, alg) => {
  const jwk = generateKeyPairSync(type, options).privateKey.export({ format: "jwk" });
  return { ...jwk, alg, use: "sig", kid: alg };
};
const client = (id, alg) => ({
  client_id: id,
  client_secret: `secret-of-${id}`,
  redirect_uris: [redirectUri],
  grant_types: ["authorization_code"],
  response_types: ["code"],
  id_token_signed_response_alg: alg,
});

const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [client("rs256", "RS256"), client("es256", "ES256"), client("eddsa", "EdDSA")],
    jwks: {
      keys: [
        key("rsa", { modulusLength: 2048 }, "RS256"),
        key("ec", { namedCurve: "P-256" }, "ES256"),
        key("ed25519", {}, "EdDSA"),
      ],
    },
    enabledJWA: { idTokenSigningAlgValues: ["RS256", "ES256", "EdDSA"] },
    pkce: { required: () => true },
    scopes: ["openid", "email", "profile", "groups"],
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"], groups: ["groups"] },
    findAccount: (_, id) => people.has(id) && { accountId: id, claims: () => ({ sub: id, ...people.get(id) }) },
  });
  const answer = provider.callback();
  server.on("request", async (request, response) => {
    if (request.method !== "PUT") return answer(request, response);
    let body = "";
    for await (const part of request) body += part;
    people.set(request.url.split("/").at(-1), JSON.parse(body));
    response.writeHead(204).end();
  });
  console.log(issuer);
});
