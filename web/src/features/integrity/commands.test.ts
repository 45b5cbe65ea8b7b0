import { expect, test } from "vitest";
import { evidenceCommands, ledgerCommand } from "./commands";

test("commands name the ledger and quote what they are given", () => {
  const ledger = { server: "https://log.example", organization: "a'b", project: "shop", vkey: "log.example/shop/a+1+AQ==" };
  expect(evidenceCommands(ledger)).toBe(
    "trailbook export --server 'https://log.example' --organization 'a'\\''b' --project 'shop' --all --format evidence --output evidence.zip\ntrailbook verify evidence.zip --key 'log.example/shop/a+1+AQ=='",
  );
  expect(ledgerCommand({ ...ledger, organization: "a", project: null })).toBe("trailbook verify 'https://log.example' --organization 'a' --key 'log.example/shop/a+1+AQ==' --remember ledger.checkpoint");
});
