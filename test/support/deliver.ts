/** Delivers one mail, as a batch of its own. */
import { type DeliverPorts, deliverBatch } from "../../src/app/delivery/deliver-batch.ts";
import type { MailSettings } from "../../src/app/delivery/mail-settings.ts";
import type { Attempt } from "../../src/app/delivery/outbox.ts";
import type { DeliveryJob } from "../../src/domain/delivery/dispatch.ts";

export async function deliver(job: DeliveryJob, settings: MailSettings, ports: DeliverPorts): Promise<Attempt> {
  const [attempt] = deliverBatch([job], settings, ports);
  if (attempt === undefined) throw new Error("a batch of one mail had none");
  return attempt;
}
