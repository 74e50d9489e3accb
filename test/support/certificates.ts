/** Certificates made with openssl: a CA of our own, what it signs, and what nobody signed. */
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export type Issued = {
  /** Paths of PEM files. */
  readonly cert: string;
  readonly key: string;
};

export type Authority = {
  readonly cert: string;
  /** @param days how long it is valid; one that is below 0 has expired */
  issue(name: string, more: { readonly subject: string; readonly names?: string; readonly days?: number }): Issued;
};

/** Why such tests cannot be run, or false where they can. */
export const withoutOpenssl =
  spawnSync("openssl", ["version"]).status === 0 ? false : "openssl is not installed, and makes the certificates";

export function createAuthority(folder: string, name: string): Authority {
  const ca = pair(folder, name);
  openssl("req", "-x509", ...NEW_KEY, "-keyout", ca.key, "-out", ca.cert, "-days", "30", "-subj", `/CN=${name}`);
  return {
    cert: ca.cert,
    issue(own, { subject, names, days = 30 }) {
      const issued = pair(folder, own);
      const request = join(folder, `${own}.csr`);
      const extensions = join(folder, `${own}.ext`);
      writeFileSync(extensions, names === undefined ? "" : `subjectAltName=${names}\n`);
      openssl("req", ...NEW_KEY, "-keyout", issued.key, "-out", request, "-subj", `/CN=${subject}`);
      const signing = ["-CA", ca.cert, "-CAkey", ca.key, "-CAcreateserial", "-days", String(days)];
      openssl("x509", "-req", "-in", request, ...signing, "-extfile", extensions, "-out", issued.cert);
      return issued;
    },
  };
}

export function pemOf({ cert, key }: Issued): { readonly cert: string; readonly key: string } {
  return { cert: readFileSync(cert, "utf8"), key: readFileSync(key, "utf8") };
}

const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

function pair(folder: string, name: string): Issued {
  return { cert: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) };
}

function openssl(...args: readonly string[]): void {
  execFileSync("openssl", args, { stdio: "pipe" });
}
