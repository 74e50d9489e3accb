import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HOUR, MINUTE } from "../support/durations.ts";
import type { Fault } from "../support/faulty-relay-dialogue.ts";
import { audienceOf } from "../support/lab.ts";
import { openStage, type Stage, work } from "./promise-stage.ts";

const PEOPLE = ["a@example.com", "b@example.com", "c@example.com", "d@example.com", "e@example.com"];
/** More often than anybody tries. */
const ALWAYS = 10_000;

function rowsOf({ lab }: Stage) {
  return lab.database.prisma.notification.findMany({
    orderBy: [{ createdAt: "asc" }, { recipient: "asc" }],
    include: { tries: { orderBy: { number: "asc" } } },
  });
}

/** What would be said to every mail, at whatever stage. */
const OF_EVERY_MAIL: readonly (readonly [cause: string, Fault, says: RegExp])[] = [
  [
    "sender",
    {
      at: "recipient",
      does: "answer",
      text: "553 5.7.1 <invites@example.com>: Sender address rejected: not owned by user x",
    },
    /refuses the sender; check that it lets this login send as MAIL_FROM/,
  ],
  [
    "relaying",
    { at: "recipient", does: "answer", text: "554 5.7.1 <ops@example.com>: Relay access denied" },
    /put user and password into SMTP_URL/,
  ],
  [
    "quota",
    { at: "answer", does: "answer", text: "550 5.4.5 Daily user sending limit exceeded" },
    /a limit on sending is reached/,
  ],
  [
    "login",
    { at: "sender", does: "answer", text: "530 5.7.0 Authentication required" },
    /wants a login; put user and password into SMTP_URL/,
  ],
  [
    "policy",
    {
      at: "recipient",
      does: "answer",
      text: "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen",
    },
    /check the login, block lists/,
  ],
];

describe("a refusal that would meet every mail", () => {
  for (const [cause, fault, says] of OF_EVERY_MAIL) {
    test(`(${cause}) ends no mail, is told with what to do, and all leave once it is mended`, async (t) => {
      const stage = await openStage(t, { audience: audienceOf(...PEOPLE) });
      const { lab, relay } = stage;
      relay.script({ ...fault, times: ALWAYS });
      lab.invite();
      await lab.sync();

      await work(stage, 2 * HOUR);
      const during = await rowsOf(stage);
      const { downSince, error } = await stage.ports.outbox.mailServer();
      const told = await stage.ports.outbox.undeliveredSince(new Date(+lab.now() - 3 * HOUR));
      relay.mend();
      await work(stage, 2 * HOUR);

      assert.deepEqual([...new Set(during.map(({ state }) => state))], ["pending"]);
      assert.ok(downSince !== null && says.test(error ?? ""), error ?? "well");
      for (const { why } of told) assert.match(why ?? "", says);
      assert.deepEqual([...new Set((await rowsOf(stage)).map(({ state }) => state))], ["delivered"]);
      const causes = during.flatMap(({ tries }) => tries).map((one) => one.cause);
      assert.deepEqual([...new Set(causes)], [cause]);
    });
  }

  test("is found out by one mail at a time, on the schedule of retries", async (t) => {
    const stage = await openStage(t, { audience: audienceOf(...PEOPLE) });
    stage.relay.script({ at: "answer", does: "answer", text: "550 5.4.5 Daily limit exceeded", times: ALWAYS });
    stage.lab.invite();
    await stage.lab.sync();

    await work(stage, 6 * HOUR);

    // 15 s, 1, 5, 15, 30 min, then hourly: not that of each mail.
    const tries = (await rowsOf(stage)).flatMap((row) => row.tries);
    assert.ok(tries.length >= 8 && tries.length <= 16, `${tries.length} attempts`);
  });
});

test("what is refused to one recipient alone, for a reason that may be everybody's, keeps no other mail waiting", async (t) => {
  const stage = await openStage(t, { audience: audienceOf(...PEOPLE) });
  const { lab, relay } = stage;
  for (const text of [
    "554 5.7.1 Relay access denied",
    "550 5.7.1 not you",
    "554 Message rejected: Email address is not verified",
  ]) {
    relay.script({ at: "recipient", does: "answer", text, to: "c@example.com", times: ALWAYS });
    lab.invite();
    await lab.sync();
    await work(stage, 20 * MINUTE);
    relay.mend();

    const others = (await rowsOf(stage)).filter(({ recipient }) => recipient !== "c@example.com");
    const longest = Math.max(...others.map(({ createdAt, deliveredAt }) => +(deliveredAt ?? Infinity) - +createdAt));
    assert.ok(longest <= 2 * MINUTE, `${text}: ${longest / 1000} s`);
    await work(stage, 2 * HOUR);
    assert.deepEqual([...new Set((await rowsOf(stage)).map(({ state }) => state))], ["delivered"]);
  }
});
