/** A mail as the demo's mailbox got it. */
import type { HeaderValues } from "./mail-headers.ts";

/** One mail as it was received. */
export type ReceivedMail = {
  readonly subject: string;
  /** Addresses of the header, without display names. */
  readonly from: string;
  readonly to: readonly string[];
  /** To whom the SMTP envelope brought it. */
  readonly recipients: readonly string[];
  readonly text: string;
  readonly html: string;
  /** By lower-case name, unfolded, not decoded. */
  readonly headers: HeaderValues;
  readonly attachments: readonly { readonly filename: string; readonly contentType: string }[];
  /** The bytes between DATA and the final dot, read as UTF-8. */
  readonly raw: string;
};
