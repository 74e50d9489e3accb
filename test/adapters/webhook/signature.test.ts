import assert from "node:assert/strict";
import { test } from "node:test";
import { signedHeaders } from "../../../src/adapters/webhook/signature.ts";

const ID = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const AT = new Date(1_614_265_330_000);
const BODY = '{"test": 2432232314}';

test("the signature is the one of the standard's own example", () => {
  const headers = signedHeaders(ID, AT, BODY, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");

  assert.deepEqual(headers, {
    "webhook-id": ID,
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
  });
});

test("a secret without the prefix is itself the key", () => {
  const plain = "a plain text of 24 bytes";

  const headers = signedHeaders(ID, AT, BODY, plain);

  assert.deepEqual(headers, signedHeaders(ID, AT, BODY, `whsec_${Buffer.from(plain).toString("base64")}`));
});
