/** The process that stands in for Cloudflare: one long list to be measured with, and a short one to get warm with. */
import { demoCredentials, type StandIn, startCloudflareStandIn } from "../src/demo/cloudflare.ts";
import { type ApiInvite, apiInstant, sampleInvite } from "../src/demo/sample-invite.ts";
import type { ApiReady, ApiRequest } from "./job.ts";

const WARM_UP_SIZE = 200;
const PER_PAGE = 50;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** Fixed, so that filling twice gives the same list. */
const startedAt = Date.now();
const { token } = demoCredentials;
let added = 0;
const [api, warmUp] = await Promise.all([start(), start()]);

process.on("message", async (request: ApiRequest) => {
  if (request.kind === "fill") {
    added = request.size;
    fill(api, request.size);
    fill(warmUp, WARM_UP_SIZE);
  } else if (request.kind === "add") {
    added += 1;
    api.invites.put(invitation(added));
  } else {
    change(api);
    change(warmUp);
  }
  if (request.kind !== "add") await Promise.all([readAll(api), readAll(warmUp)]);
  process.send?.({ url: api.url, warmUpUrl: warmUp.url, token } satisfies ApiReady);
});
process.once("disconnect", () => process.exit());

function start(): Promise<StandIn> {
  return startCloudflareStandIn({ rateLimit: null });
}

function fill(standIn: StandIn, size: number): void {
  standIn.invites.replaceAll(Array.from({ length: size }, (_, number) => invitation(number)));
}

/** One of four days that came an hour ago: no threshold is crossed yet, nor during the benchmark. */
function invitation(number: number): ApiInvite {
  const invitedAt = startedAt - 60 * MINUTE_MS + (number % 60) * MINUTE_MS;
  const instants = { invited_on: apiInstant(invitedAt), expires_on: apiInstant(invitedAt + 4 * DAY_MS) };
  return sampleInvite(instants, number);
}

/** Moves the end of one invitation in a hundred by a day. */
function change(standIn: StandIn): void {
  const changed = standIn.invites.list().map((invite, position) => {
    if (position % 100 !== 0) return invite;
    return { ...invite, expires_on: apiInstant(Date.parse(String(invite.expires_on)) + DAY_MS) };
  });
  standIn.invites.replaceAll(changed);
}

/** Reads every page once: they are serialised then, and nobody who is measured waits for it. */
async function readAll(standIn: StandIn): Promise<void> {
  const pages = Math.ceil(standIn.invites.list().length / PER_PAGE);
  for (let page = 1; page <= pages; page += 1) {
    const url = `${standIn.url}/user/invites?page=${page}&per_page=${PER_PAGE}`;
    await (await fetch(url, { headers: { authorization: `Bearer ${token}` } })).arrayBuffer();
  }
}
