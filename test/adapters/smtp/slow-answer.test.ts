import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import { SMTPServer } from "smtp-server";
import { createMailTransport } from "../../../src/adapters/smtp/transport.ts";

const MIME = Buffer.from("Message-ID: <a@example.com>\r\n\r\nHello.\r\n");

/** A server that answers a mail to slow@ only when it is told to. */
async function serve(t: TestContext) {
  const held = Promise.withResolvers<void>();
  const came = Promise.withResolvers<void>();
  const taken: string[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS", "AUTH"],
    disableReverseLookup: true,
    closeTimeout: 50,
    onData(stream, { envelope }, done) {
      const to = envelope.rcptTo.map(({ address }) => address).join();
      void text(stream).then(async () => {
        taken.push(to);
        if (to.startsWith("slow")) {
          came.resolve();
          await held.promise;
        }
        done(null, `queued as ${taken.length}`);
      });
    },
  });
  server.on("error", () => {});
  server.listen(0, "127.0.0.1");
  await once(server.server, "listening");
  t.after(() => new Promise<void>((resolve) => server.close(() => resolve())));
  const url = `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`;
  return { url, taken, came: came.promise, answer: () => held.resolve() };
}

test("a mail whose answer takes longer than any other answer may is sent once, and others go on meanwhile", async (t) => {
  const { url, taken, came, answer } = await serve(t);
  const transport = createMailTransport(url, String, { connections: 1, timeouts: { socketTimeout: 500 } });
  t.after(() => transport.close());
  const send = (to: string) => transport.send(MIME, { from: "invites@example.com", to });

  const slow = send("slow@example.com");
  await came;
  const others = [await send("b@example.com"), await send("c@example.com")];
  answer();

  assert.deepEqual(
    [...others, await slow].map(({ kind }) => kind),
    ["accepted", "accepted", "accepted"],
  );
  assert.deepEqual(taken, ["slow@example.com", "b@example.com", "c@example.com"]);
});

test("an answer that does not come in its own time is given up", async (t) => {
  const { url, answer } = await serve(t);
  const transport = createMailTransport(url, String, { timeouts: { answerTimeout: 100 } });
  t.after(() => {
    answer();
    return transport.close();
  });

  const outcome = await transport.send(MIME, { from: "invites@example.com", to: "slow@example.com" });

  assert.deepEqual([outcome.kind === "failed" && outcome.cause, outcome.stage], ["unknown", "answer"]);
});

test("what waits for an answer is ended when the transport is told to stop, and nothing begins any more", async (t) => {
  const { url, taken, came, answer } = await serve(t);
  const transport = createMailTransport(url, String, { connections: 1 });
  t.after(answer);
  const send = (to: string) => transport.send(MIME, { from: "invites@example.com", to });

  const [slow, waiting] = [send("slow@example.com"), send("b@example.com")];
  await came;
  await transport.stop(20);
  const outcomes = [await slow, await waiting];

  assert.deepEqual(
    outcomes.map((outcome) => outcome.kind === "failed" && outcome.cause),
    ["unknown", "stopped"],
  );
  assert.deepEqual(taken, ["slow@example.com"]);
  await assert.rejects(
    transport.inTurn(async () => {}),
    /told to stop/,
  );
});
