/**
 * Goes a mail's way to the relay step by step, and says at each step what was found.
 *
 * The dialogue is nodemailer's, as when mail is delivered; only the connection is opened here, so that looking the
 * name up, connecting and TLS can be told apart.
 */
import { lookup } from "node:dns/promises";
import { isIP, type Socket } from "node:net";
import SMTPConnection from "nodemailer/lib/smtp-connection";
import { onTheWire } from "./address.ts";
import { type SmtpError, tidyAnswer } from "./answer.ts";
import { optionsOf, type SmtpOptions, type Timeouts } from "./options.ts";
import { adviceFor, NO_LOGIN_OFFERED } from "./probe-advice.ts";
import { createDialogue, type Dialogue } from "./probe-dialogue.ts";
import type { ProbeStep, Tell } from "./probe-step.ts";
import { describePlain, describeTls, secureSocket } from "./probe-tls.ts";
import { openSocket, within } from "./socket.ts";

export type ProbeMail = { readonly from: string; readonly to: readonly string[]; readonly mime: Buffer };

export type ProbeOptions = {
  readonly redact: (text: string) => string;
  /** Told of each step as it ends. */
  readonly report: (step: ProbeStep) => void;
  /** In ms; those of a delivery where nothing is said. */
  readonly timeouts?: Partial<Timeouts>;
};

/**
 * The recipients for whom the relay took the mail. Never rejects: what went wrong was reported.
 *
 * @param mail with bare addresses
 */
export async function probeRelay(smtpUrl: string, mail: ProbeMail, how: ProbeOptions): Promise<readonly string[]> {
  const options: SmtpOptions = { ...optionsOf(smtpUrl), ...how.timeouts };
  const tell: Tell = (stage, ok, text, recipient) =>
    how.report({ stage, ok, text: tidyAnswer(text, how.redact), recipient: recipient ?? null });
  if (!(await resolveHost(options, tell))) return [];
  const socket = await connectTo(options, tell);
  return socket === null ? [] : converse(socket, options, mail, tell);
}

async function resolveHost({ host, dnsTimeout }: SmtpOptions, tell: Tell): Promise<boolean> {
  if (isIP(host) !== 0) {
    tell("DNS", true, `${host} is an address, no name to look up`);
    return true;
  }
  try {
    const found = await within(dnsTimeout, lookup(host, { all: true }));
    tell("DNS", true, `${host} is ${[...new Set(found.map(({ address }) => address))].join(", ")}`);
    return true;
  } catch (error) {
    tell("DNS", false, adviceFor("DNS", error as SmtpError, host));
    return false;
  }
}

/** Null where the host does not take the connection. */
async function connectTo(options: SmtpOptions, tell: Tell): Promise<Socket | null> {
  const startedAt = performance.now();
  try {
    const socket = await openSocket(options);
    const tookMs = Math.round(performance.now() - startedAt);
    tell("connect", true, `${socket.remoteAddress} port ${socket.remotePort}, in ${tookMs} ms`);
    return socket;
  } catch (error) {
    tell("connect", false, adviceFor("connect", error as SmtpError, `${options.host}:${options.port}`));
    return null;
  }
}

async function converse(socket: Socket, options: SmtpOptions, mail: ProbeMail, tell: Tell): Promise<readonly string[]> {
  const relay = `${options.host}:${options.port}`;
  const secured = () => secureSocket(connection._socket);
  const tellTls = once(() => {
    const tls = secured();
    if (tls === null) tell("TLS", true, describePlain(options.host));
    else tell("TLS", tls.authorized, describeTls(tls, options.host));
  });
  const beforeAnswer = () => {
    if (secured() !== null) tellTls();
  };
  const dialogue = createDialogue({ recipients: mail.to, relay, beforeAnswer, tell });
  const connection = new SMTPConnection({
    ...options,
    connection: socket,
    // A certificate that is not trusted is to be shown; nothing but EHLO is sent before it is judged below.
    tls: { ...options.tls, rejectUnauthorized: false },
    transactionLog: true,
    logger: dialogue.logger,
  });
  try {
    await call(connection, (done) => connection.connect(done));
    tellTls();
    if (secured()?.authorized === false) return [];
    if (!(await login(connection, options, dialogue, tell))) return [];
    const envelope = { from: onTheWire(mail.from), to: mail.to.map(onTheWire) };
    await call(connection, (done) => connection.send(envelope, mail.mime, done));
    return dialogue.accepted();
  } catch (error) {
    const stage = options.secure && secured() === null ? "TLS" : dialogue.stage();
    if (!dialogue.refused()) tell(stage, false, adviceFor(stage, error as SmtpError, relay));
    return [];
  } finally {
    connection.quit();
    connection.close();
  }
}

/** As a delivery does it: where SMTP_URL has a user, nothing is sent without a login. */
async function login(
  connection: SMTPConnection,
  { auth, host, port }: SmtpOptions,
  dialogue: Dialogue,
  tell: Tell,
): Promise<boolean> {
  if (auth === undefined) {
    tell("login", true, "none: SMTP_URL has no user");
    return true;
  }
  if (!connection.allowsAuth) {
    tell("login", false, `${host}:${port}: ${NO_LOGIN_OFFERED}`);
    return false;
  }
  await call(connection, (done) => connection.login({ ...auth, credentials: { ...auth } }, done));
  tell("login", true, `${dialogue.mechanism()}: ${connection.lastServerResponse}`);
  return true;
}

/** Resolves when the callback is called; rejects with its error, and where the connection breaks. */
function call(connection: SMTPConnection, run: (done: (error?: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    connection.on("error", reject).on("end", () => reject(new Error("the mail server closed the connection")));
    run((error) => (error ? reject(error) : resolve()));
  });
}

function once(run: () => void): () => void {
  let ran = false;
  return () => {
    if (!ran) run();
    ran = true;
  };
}
