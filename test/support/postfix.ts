/** A real Postfix with a configuration and a queue of its own, where Debian's is installed and we may start it. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, chown, cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePort } from "./free-port.ts";

const run = promisify(execFile);

/** Why there is none on this machine; false where there is. */
export const noPostfix: string | false = !existsSync("/usr/sbin/postfix")
  ? "Postfix is not installed"
  : process.getuid?.() === 0
    ? false
    : "Postfix is started by root alone";

export type Postfix = {
  /** By the names of the services. */
  readonly ports: ReadonlyMap<string, number>;
  close(): Promise<void>;
};

/** Queues mail for anybody and throws it away. */
const MAIN = `
compatibility_level = 3.6
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = postfix.test
mydestination = example.com
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtpd_tls_security_level = may
smtpd_helo_required = yes
smtpd_helo_restrictions = reject_non_fqdn_helo_hostname, reject_invalid_helo_hostname
mynetworks = 127.0.0.0/8
local_recipient_maps =
alias_maps =
local_transport = discard
message_size_limit = 20000
mailbox_size_limit = 0
`;

const SERVICES = `
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
tlsmgr unix - - n 1000? 1 tlsmgr
discard unix - - n - - discard
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
`;

/** @param services by name the settings, `name=value`, in which each differs from the others */
export async function startPostfix(services: Readonly<Record<string, readonly string[]>>): Promise<Postfix> {
  const folder = await mkdtemp(join(tmpdir(), "invitewatch-postfix-"));
  const at = (name: string) => join(folder, name);
  await chmod(folder, 0o755);
  for (const name of ["etc", "queue", "data"]) await mkdir(at(name));
  const { stdout: uid } = await run("id", ["-u", "postfix"]);
  await chown(at("data"), Number(uid), 0);
  for (const name of ["rsa-cert.pem", "rsa-key.pem"]) {
    await cp(new URL(`../fixtures/tls/${name}`, import.meta.url), at(name));
  }
  const own = {
    queue_directory: at("queue"),
    data_directory: at("data"),
    maillog_file: at("log"),
    maillog_file_prefixes: folder,
    smtpd_tls_cert_file: at("rsa-cert.pem"),
    smtpd_tls_key_file: at("rsa-key.pem"),
  };
  const ports = new Map<string, number>();
  const lines: string[] = [];
  for (const [name, settings] of Object.entries(services)) {
    ports.set(name, await freePort());
    const differences = settings.map((setting) => ` -o ${setting}`).join("");
    lines.push(`127.0.0.1:${ports.get(name)} inet n - n - - smtpd${differences}`);
  }
  const settings = Object.entries(own).map(([name, value]) => `${name} = ${value}\n`);
  await writeFile(at("etc/main.cf"), `${MAIN}${settings.join("")}`);
  await writeFile(at("etc/master.cf"), `${lines.join("\n")}${SERVICES}`);
  await run("postfix", ["-c", at("etc"), "start"]);
  return {
    ports,
    async close() {
      await run("postfix", ["-c", at("etc"), "stop"]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
