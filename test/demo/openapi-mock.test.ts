import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { startOpenApiMock } from "../support/openapi-mock.ts";
import { goodAnswer, openApiDocument, violations } from "./openapi-validator.ts";

test("the documentation's own example is served verbatim", async (t) => {
  const mock = await startOpenApiMock(openApiDocument);
  t.after(mock.close);

  const list = await (await fetch(`${mock.url}/user/invites?page=1&per_page=50`)).json();

  const documented = new URL("../fixtures/cloudflare-examples/docs-user-invites-list.json", import.meta.url);
  assert.deepEqual(list, JSON.parse(readFileSync(documented, "utf8")));
});

test("another example is served by its name, and the first one where an operation does not have it", async (t) => {
  const mock = await startOpenApiMock(openApiDocument, { example: "pending" });
  t.after(mock.close);

  const list = (await (await fetch(`${mock.url}/user/invites`)).json()) as { result: { status: string }[] };
  const detail = (await (await fetch(`${mock.url}/user/invites/abc`)).json()) as { result: { status: string } };

  assert.equal(list.result[0]?.status, "pending");
  assert.equal(detail.result.status, "accepted");
});

test("where the document has no example, one is made of its schema", async (t) => {
  const mock = await startOpenApiMock(openApiDocument);
  t.after(mock.close);

  const memberships = await (await fetch(`${mock.url}/memberships?status=accepted`)).json();
  const verification = await (await fetch(`${mock.url}/user/tokens/verify`)).json();

  assert.deepEqual(violations(memberships, goodAnswer("/memberships")), []);
  assert.deepEqual(violations(verification, goodAnswer("/user/tokens/verify")), []);
});

test("what the document does not hold is not found, and an example it does not hold is an error", async (t) => {
  const mock = await startOpenApiMock(openApiDocument);
  t.after(mock.close);

  const response = await fetch(`${mock.url}/zones`);

  assert.equal(response.status, 404);
  await assert.rejects(startOpenApiMock(openApiDocument, { example: "no such" }), /no such/);
});
