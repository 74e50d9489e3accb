/** Ways to lose a mail or to alter its repeat, each with the tests that must notice it. */
import type { Mutation } from "./mutation.ts";

const TROUBLED = "test/app/troubled-relay.test.ts";
const PROMISE = "test/app/promise.test.ts";
const DELIVER = "test/app/deliver.test.ts";
const CONNECTIONS = "test/adapters/smtp/connections.test.ts";

/** Where a mail goes out by the relay. */
const SEND = `  return [{ number, startedAt, way: "smtp", outcome: await transport.send(mime, { from: settings.from, to }) }];\n`;

export const DELIVERY_MUTATIONS: readonly Mutation[] = [
  {
    name: "the receipt is written before the mail is sent",
    file: "src/app/deliver.ts",
    find: SEND,
    replace: `  const early = { kind: "accepted", response: "", stage: "answer", code: 250, enhancedCode: null, queueId: null, durationMs: 0 };
  const receiptNow = { state: "delivered", at: startedAt, response: "250" };
  await outbox.receive(id, receiptNow, [{ number, startedAt, way: "smtp", outcome: early }], null);
${SEND}`,
    tests: {
      [DELIVER]: ["the mail stays owed, and is delivered once the server is back"],
      [PROMISE]: ["where the mail server refuses every mail for now, once"],
    },
    faults: { only: "mail:1", says: /mails: missing: / },
  },
  {
    name: "the attempt is written down after the mail is sent",
    file: "src/app/deliver.ts",
    find: `  const mime = await outbox.begin(beginning);
  if (mime === null) return [];
  if (way.kind === "fallback") return sendOtherwise(messageOf(owed, { subject: made.subject, mime }), beginning, ports);
  const number = attempts + 1;
${SEND}`,
    replace: `  const outcome = await transport.send(made.mime, { from: settings.from, to });
  const mime = await outbox.begin(beginning);
  return mime === null ? [] : [{ number: attempts + 1, startedAt, way: "smtp", outcome }];\n`,
    tests: {
      [DELIVER]: [
        "leaves the mail to the next one, which sends the same bytes",
        "a mail that is cancelled between its rendering and its sending is not sent",
      ],
      [PROMISE]: ["where the process died before the answer came"],
    },
  },
  {
    name: "the bytes of a mail are not kept",
    file: "src/adapters/postgres/outbox-attempts.ts",
    find: "      mime = coalesce(n.mime, beginning.head || ($7::bytea[])[beginning.tail])\n",
    replace: "      mime = n.mime\n",
    tests: {
      [DELIVER]: [
        "is what was frozen, byte for byte, under the Message-ID of its row",
        "is tried again after 451 at DATA: same bytes, same Message-ID, and then delivered",
      ],
      [PROMISE]: ["where the mail server's answer was lost", "where the process died before the answer came"],
    },
  },
  {
    name: "what was frozen is frozen anew",
    file: "src/adapters/postgres/outbox-attempts.ts",
    find: "coalesce(n.mime, beginning.head || ($7::bytea[])[beginning.tail])",
    replace: "beginning.head || ($7::bytea[])[beginning.tail]",
    tests: { "test/adapters/postgres/outbox-store.test.ts": ["what is frozen stays, whoever freezes later"] },
  },
  {
    name: "every attempt has a Message-ID of its own",
    file: "src/app/deliver.ts",
    find: SEND,
    replace: `  const another = \`Message-ID: <\${ports.newId()}@\`;
  const bytes = Buffer.from(mime.toString("latin1").replace(/^Message-ID:\\s*<[^@]+@/im, another), "latin1");
${SEND.replace("mime,", "bytes,")}`,
    tests: {
      [PROMISE]: ["where the mail server's answer was lost", "where the process died before the answer came"],
    },
    faults: { only: "answer:1", says: /came with (more than one Message-ID|a Message-ID that no notification has)/ },
  },
  {
    name: "a Message-ID is made by chance",
    file: "src/mail/headers.ts",
    find: `\${notificationId}\\n\${recipient}`,
    replace: `\${notificationId}\\n\${recipient}\${Math.random()}`,
    tests: {
      "test/mail/headers.test.ts": [
        "the Message-ID is made of the notification, the recipient and the sender's domain alone",
      ],
    },
  },
  {
    name: "a mail that was accepted stays owed",
    file: "src/adapters/postgres/outbox-attempts.ts",
    find: "SET state = 'delivered',",
    replace: "SET state = 'pending',",
    tests: {
      [DELIVER]: [
        "is delivered, and its receipt says when and in which words",
        "is not sent again, however often it is asked for",
      ],
    },
  },
  {
    name: "a mail that failed gets no job for its next attempt",
    file: "src/adapters/postgres/outbox-store.ts",
    find: "      if (count === 1) await enqueueDeliveries(tx, [id], nextAttemptAt);\n",
    replace: "",
    tests: {
      [DELIVER]: ["gets the job of its next attempt, in the transaction that says so"],
      [PROMISE]: ["where the mail server refuses every mail for now, once"],
    },
  },
  {
    name: "a mail that waits for the mail server gets no job",
    file: "src/adapters/postgres/outbox-leave.ts",
    find: "      await enqueue(tx, [row.id], way.until);\n",
    replace: "",
    tests: { [PROMISE]: ["where the mail that probed the mail server came to its end before that was back"] },
  },
  {
    name: "a mail that is held gets no job for its time",
    file: "src/adapters/postgres/outbox-release.ts",
    find: "      await enqueue(tx, [row.id], release.hold.until);\n",
    replace: "",
    tests: { [PROMISE]: ["where the hour is full of other mails"] },
  },
  {
    name: "the mail that takes the place of several gets no job",
    file: "src/adapters/postgres/outbox-release.ts",
    find: "      await enqueue(tx, [into.id], now);\n",
    replace: "",
    tests: { [PROMISE]: ["where the hour is full of other mails"] },
  },
  {
    name: "what a dead process was sending is never sent again",
    file: "src/adapters/postgres/outbox-ordinary.ts",
    find: "  return takeOver || elapsedMs(",
    replace: "  return elapsedMs(",
    tests: {
      [DELIVER]: ["leaves the mail to the next one, which sends the same bytes"],
      [PROMISE]: ["where the process died before the answer came"],
    },
  },
  {
    name: "a replica that was paused sends what another sent meanwhile",
    file: "src/adapters/postgres/outbox-attempts.ts",
    find: " AND n.attempts = beginning.attempts AND n.state IN ('pending', 'sending')\n",
    replace: "\n",
    tests: { [PROMISE]: ["where a replica was paused until another had sent it"] },
  },
  {
    name: "a replica that was paused decides over the mail that another is sending",
    file: "src/adapters/postgres/outbox-store.ts",
    find: `  const where = { id, state: "sending", attempts: number };\n`,
    replace: `  const where = { id, state: "sending" };\n`,
    tests: {
      "test/adapters/postgres/outbox-store.test.ts": [
        "is written down where it failed (pending), and nothing comes of it",
        "is written down where it failed (dead), and nothing comes of it",
      ],
      [PROMISE]: [
        "where a replica was paused, and wakes with a failure of the mail server while another is sending it",
        "where a replica was paused, and wakes with a refusal for good while another is sending it",
      ],
    },
  },
  {
    name: "an acceptance is not heard any more once another attempt failed",
    file: "src/adapters/postgres/outbox-attempts.ts",
    find: "n.state <> 'delivered'",
    replace: "n.state = 'sending'",
    tests: {
      "test/adapters/postgres/outbox-store.test.ts": [
        "makes the mail delivered where it was accepted, though it is pending by now",
        "makes the mail delivered where it was accepted, though it is dead by now",
      ],
      [PROMISE]: ["where a replica was paused, and wakes with the acceptance after another was refused"],
    },
  },
  {
    name: "mail is given up after a day",
    file: "src/domain/retry.ts",
    find: "const HORIZON_MS = 5 * 24",
    replace: "const HORIZON_MS = 24",
    tests: {
      "test/domain/retry.test.ts": [
        "an outage of any length is tried through, never sooner than before and never past five days",
      ],
      [PROMISE]: ["where mail is accepted again a minute before five days are over"],
    },
  },
  {
    name: "mails that were let through try a mail server that went down meanwhile, one and all",
    file: "src/adapters/postgres/outbox-attempts.ts",
    find: "      AND NOT (only_if_well AND EXISTS (SELECT FROM relay WHERE down_since IS NOT NULL))\n",
    replace: "",
    tests: { [DELIVER]: ["of many mails that were let through before it went a few are tried, and the others wait"] },
  },
  {
    name: "no last attempt is made as the time of a mail ends",
    file: "src/domain/relay.ts",
    find: "(isProbeDue(relay, now) || isLast)",
    replace: "isProbeDue(relay, now)",
    tests: {
      [PROMISE]: [
        "where mail is accepted again a minute before five days are over",
        "where mail is accepted again two minutes before the event stops being useful",
      ],
    },
  },
  {
    name: "a mail that finds out that the server is still away forgets what it tells",
    file: "src/adapters/postgres/outbox-frozen.ts",
    find: "relay.downSince === null ? NO_CONTENT : await readContent(tx, row)",
    replace: "NO_CONTENT",
    tests: {
      "test/app/second-way-out.test.ts": [
        "takes it also where it was the mail that found out that the server is still away",
      ],
    },
  },
  {
    name: "a mail on which the server hangs up is the first to try again",
    file: "src/app/receipt.ts",
    find: "ofRelay !== null && mayBeOfMail(ofRelay) && next > at",
    replace: "false",
    tests: { [TROUBLED]: ["a mail on which the server hangs up every time keeps no other from leaving"] },
  },
  {
    name: "five days begin while a mail cannot leave yet",
    file: "src/adapters/postgres/outbox-leave.ts",
    find: "releasedAt: mightLeaveSince(row, relay.downSince, now)",
    replace: "releasedAt: row.released_at",
    tests: {
      [TROUBLED]: [
        "when a mail may leave at last, where it was held longer than that",
        "when the mail server is found to be away, where nobody was at work before",
      ],
    },
  },
  {
    name: "a reminder that came too late is forgotten",
    file: "src/adapters/postgres/outbox-decisions.ts",
    find: "tooLate ? [id] : []",
    replace: "[]",
    tests: { [TROUBLED]: ["and comes too late is given up, for all to see"] },
  },
  {
    name: "that a mail was accepted is forgotten where the database is away",
    file: "src/adapters/postgres/outbox-store.ts",
    find: "return untilWritten(() => accept(accepted));",
    replace: "return accept(accepted);",
    tests: {
      "test/adapters/postgres/outbox-store.test.ts": [
        "that says delivered is written when the database is back, where that was away",
      ],
    },
  },
  {
    name: "every mail asks for itself whether it may log in",
    file: "src/adapters/smtp/pool.ts",
    find: "if (lastFault !== null && lastFault.clockMs >= sinceMs) throw lastFault;",
    replace: "",
    tests: {
      [CONNECTIONS]: [
        "a server that refuses the login is asked once for each connection, and not for every mail that waits",
      ],
    },
  },
  {
    name: "a connection that is turned away is the end of the others",
    file: "src/adapters/smtp/pool.ts",
    find: "if (fault === lastFault || performance.now() >= shareUntilMs) throw fault;",
    replace: "throw fault;",
    tests: {
      [CONNECTIONS]: ["a server that lets in fewer connections than are asked for gets every mail over those"],
    },
  },
];
