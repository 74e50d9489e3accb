/** What the program runs with: frozen, complete, and the same for every reader. */
import type { Threshold } from "../domain/expiry.ts";
import type { QuietHours } from "../domain/quiet-hours.ts";
import type { Route } from "../domain/routing.ts";
import type { ProxyConfig } from "./proxy.ts";

/** A Cloudflare credential: a user's API token, or the older pair of e-mail and global key. */
export type Credential =
  | { readonly kind: "token"; readonly token: string }
  | { readonly kind: "key"; readonly email: string; readonly key: string };

export type WatchConfig = {
  readonly name: string;
  readonly credential: Credential;
  /** Who is told; empty only where `missing` says so. */
  readonly to: readonly string[];
  /** Five or six cron fields. */
  readonly schedule: string;
  /** The longest stretch between two runs of the schedule, in ms. */
  readonly intervalMs: number;
  /** IANA zone of the schedule and of times shown to people. */
  readonly timezone: string;
  readonly thresholds: readonly Threshold[];
  /** When its mails wait; null where they never do. */
  readonly quietHours: QuietHours | null;
};

export type MailConfig = {
  /** smtp:// or smtps://, login included. A secret. */
  readonly smtpUrl: string;
  /** The From header, as given. */
  readonly from: string;
};

/** Where an alert goes when mail is down; null for what there is not. */
export type FallbackConfig = {
  /** As in MailConfig. A secret. */
  readonly smtpUrl: string | null;
  readonly webhook: WebhookConfig | null;
};

export type WebhookConfig = {
  /** A secret: whoever knows it can post. */
  readonly url: string;
  /** What posts are signed with: `whsec_` and base64, or plain text. A secret. */
  readonly secret: string;
};

export type HttpConfig = {
  readonly host: string;
  /** 0 where the server is turned off. */
  readonly port: number;
  /** What a client must bring to the data routes. A secret. */
  readonly token: string | null;
};

export type Config = {
  readonly databaseUrl: string;
  /** The way that tables are changed over and notifications come by; null where that is `databaseUrl`. A secret. */
  readonly databaseDirectUrl: string | null;
  readonly cloudflareBaseUrl: string;
  /** One entry per watch that can be synced; empty where no credential is configured. */
  readonly watches: readonly WatchConfig[];
  /** First to last. */
  readonly routes: readonly Route[];
  readonly mail: MailConfig | null;
  readonly fallback: FallbackConfig;
  readonly jitterMs: number;
  /** Everything of one poll ends within this, in ms. */
  readonly syncDeadlineMs: number;
  readonly timezone: string;
  readonly http: HttpConfig;
  readonly proxy: ProxyConfig;
  readonly publicUrl: string | null;
  /** Mails per recipient and hour. */
  readonly floodCap: number;
  /** When the digest is made, in five or six cron fields; null where it is turned off. */
  readonly digest: { readonly schedule: string } | null;
  /** A secret: whoever knows it can ping. */
  readonly heartbeatUrl: string | null;
  readonly log: { readonly level: string; readonly format: "json" | "pretty" };
  /** What `run` and `sync` need and is not there, each as a sentence; empty when they can start. */
  readonly missing: readonly string[];
  /** What is accepted and perhaps not meant, each as a sentence. */
  readonly warnings: readonly string[];
  /** Every secret in the configuration, to be masked wherever it might be echoed. */
  readonly secrets: readonly string[];
};
