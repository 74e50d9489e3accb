/** The configuration of a daemon that is measured: the defaults. */
import type { Config } from "../src/config/config.ts";
import { loadConfig } from "../src/config/load.ts";
import { FROM } from "./news.ts";

type Setting = {
  readonly databaseUrl: string;
  readonly smtpUrl: string;
  readonly apiUrl?: string;
  readonly token?: string;
};

export function configFor({ databaseUrl, smtpUrl, apiUrl, token = "unused" }: Setting): Config {
  return loadConfig({
    DATABASE_URL: databaseUrl,
    SMTP_URL: smtpUrl,
    MAIL_FROM: FROM,
    MAIL_TO: "ops@example.com",
    CLOUDFLARE_API_TOKEN: token,
    ...(apiUrl !== undefined && { CLOUDFLARE_BASE_URL: apiUrl }),
  });
}
