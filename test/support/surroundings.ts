/** What the real program needs around it: the stand-in for the API, a mail server, and the settings that name both. */
import { demoCredentials, type StandIn, startCloudflareStandIn } from "../../src/demo/cloudflare.ts";
import { type MailServer, startMailServer } from "./mail-server.ts";

export type ProgramSurroundings = {
  readonly api: StandIn;
  readonly mail: MailServer;
  /** The program's environment on this database. */
  settings(databaseUrl: string, changes?: Readonly<Record<string, string>>): Record<string, string>;
  close(): Promise<void>;
};

/** An invitation that ends after every test. */
export const FAR = {
  status: "pending",
  expires_on: "2099-01-01T00:00:00Z",
  invited_on: "2098-01-01T00:00:00Z",
} as const;

export async function startSurroundings(): Promise<ProgramSurroundings> {
  const api = await startCloudflareStandIn({ accepted: demoCredentials, rateLimit: null });
  const mail = await startMailServer();
  return {
    api,
    mail,
    settings: (databaseUrl, changes = {}) => ({
      CLOUDFLARE_API_TOKEN: demoCredentials.token,
      CLOUDFLARE_BASE_URL: api.url,
      DATABASE_URL: databaseUrl,
      SMTP_URL: mail.url,
      MAIL_FROM: "invites@example.com",
      MAIL_TO: "ops@example.com",
      SYNC_JITTER: "0s",
      HTTP_PORT: "0",
      ...changes,
    }),
    async close() {
      await api.close();
      await mail.close();
    },
  };
}
