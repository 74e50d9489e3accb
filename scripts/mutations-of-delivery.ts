/** Ways to lose a mail or to alter its repeat, each with the tests that must notice it. */
import type { Mutation } from "./mutation.ts";

const TROUBLED = "test/app/troubled-relay.test.ts";
const PROMISE = "test/app/promise.test.ts";
const DELIVER = "test/app/deliver.test.ts";
const CONNECTIONS = "test/adapters/smtp/connections.test.ts";

/** Where a mail goes out by the relay. */
const SEND = `  const outcome = await ports.transport.send(mime, { from: settings.from, to });\n`;

export const DELIVERY_MUTATIONS: readonly Mutation[] = [
  {
    name: "the receipt is written before the mail is sent",
    file: "src/app/delivery/deliver-batch.ts",
    find: SEND,
    replace: `  const early = { kind: "accepted", response: "250", stage: "answer", code: 250, enhancedCode: null, queueId: null, durationMs: 0 };
  const attempts = [{ number: start.attempts + 1, startedAt: start.at, way: "smtp", outcome: early }];
  const receiptNow = { receipt: { state: "delivered", at: start.at, response: "250" }, mailServer: null };
  await ports.outbox.record([{ mail: claimed.mail, way: claimed.way, attempts }], () => [receiptNow]);
${SEND}`,
    tests: {
      [DELIVER]: ["the mail stays owed, and is delivered once the server is back"],
      [PROMISE]: ["where the mail server refuses every mail for now, once"],
    },
    faults: { only: "mail:1", says: /mails: missing: / },
  },
  {
    name: "the attempt is written down after the mail is sent",
    file: "src/app/delivery/deliver-batch.ts",
    find: `    const kept = await ports.outbox.startAttempts(asked.map(({ start }) => start));\n`,
    replace: `    for (const { claimed, start } of asked) {
      const to = claimed.mail.notification.recipient;
      await ports.transport.send(Buffer.concat([start.own, start.common]), { from: run.settings.from, to });
    }
    const kept = await ports.outbox.startAttempts(asked.map(({ start }) => start));\n`,
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
    find: "mime = coalesce(n.mime, start.own || ($6::bytea[])[start.common])",
    replace: "mime = n.mime",
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
    find: "coalesce(n.mime, start.own || ($6::bytea[])[start.common])",
    replace: "start.own || ($6::bytea[])[start.common]",
    tests: { "test/adapters/postgres/outbox-store.test.ts": ["what is frozen stays, whoever freezes later"] },
  },
  {
    name: "every attempt has a Message-ID of its own",
    file: "src/app/delivery/deliver-batch.ts",
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
    find: "SET state = receipt.state,",
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
    file: "src/adapters/postgres/outbox-record.ts",
    find: "  await enqueueByTime(tx, retried, enqueue);\n",
    replace: "",
    tests: {
      [DELIVER]: ["gets the job of its next attempt, in the transaction that says so"],
      [PROMISE]: ["where the mail server refuses every mail for now, once"],
    },
  },
  {
    name: "a mail that waits for the mail server gets no job",
    file: "src/domain/delivery/dispatch.ts",
    find: "      draft.enqueue(notification.id, until);\n",
    replace: "",
    tests: { [PROMISE]: ["where the mail that probed the mail server came to its end before that was back"] },
  },
  {
    name: "a mail that is held gets no job for its time",
    file: "src/domain/delivery/dispatch.ts",
    find: "      draft.enqueue(notification.id, release.hold.until);\n",
    replace: "",
    tests: { [PROMISE]: ["where the hour is full of other mails"] },
  },
  {
    name: "the mail that takes the place of several gets no job",
    file: "src/domain/delivery/dispatch.ts",
    find: "      draft.enqueue(into, rules.now);\n",
    replace: "",
    tests: { [PROMISE]: ["where the hour is full of other mails"] },
  },
  {
    name: "what a dead process was sending is never sent again",
    file: "src/domain/delivery/outbox-mail.ts",
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
    find: " AND n.attempts = start.attempts AND n.state IN ('pending', 'sending')\n",
    replace: "\n",
    tests: { [PROMISE]: ["where a replica was paused until another had sent it"] },
  },
  {
    name: "a replica that was paused decides over the mail that another is sending",
    file: "src/adapters/postgres/outbox-record.ts",
    find: `(row?.state === "sending" && row.attempts === number)`,
    replace: `row?.state === "sending"`,
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
    file: "src/adapters/postgres/outbox-rows.ts",
    find: "    events: told?.events ?? [],\n",
    replace: "    events: row.mime === null ? (told?.events ?? []) : [],\n",
    tests: {
      "test/app/second-way-out.test.ts": [
        "takes it also where it was the mail that found out that the server is still away",
      ],
    },
  },
  {
    name: "a mail on which the server hangs up is the first to try again",
    file: "src/domain/delivery/conclude.ts",
    find: "ofServer !== null && mayBeOfMail(ofServer) && next > at",
    replace: "false",
    tests: { [TROUBLED]: ["a mail on which the server hangs up every time keeps no other from leaving"] },
  },
  {
    name: "five days begin while a mail cannot leave yet",
    file: "src/domain/delivery/dispatch.ts",
    find: "  const releasedAt = mightLeaveSince(notification, mailServer.downSince, now);\n",
    replace: "  const { releasedAt } = notification;\n",
    tests: {
      [TROUBLED]: [
        "when a mail may leave at last, where it was held longer than that",
        "when the mail server is found to be away, where nobody was at work before",
      ],
    },
  },
  {
    name: "a reminder that came too late is forgotten",
    file: "src/domain/delivery/dispatch-draft.ts",
    find: "if (tooLate && wasTried)",
    replace: "if (false)",
    tests: { [TROUBLED]: ["and comes too late is given up, for all to see"] },
  },
  {
    name: "that a mail was accepted is forgotten where the database is away",
    file: "src/adapters/postgres/outbox-record.ts",
    find: "several.length === 1 && several.some(wasAccepted)",
    replace: "false",
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
