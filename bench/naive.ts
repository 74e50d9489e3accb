/** What one writes by hand: the official client reads the list, and Prisma upserts one invite after the other. */
import Cloudflare from "cloudflare";
import type { Invite } from "cloudflare/resources/user/invites";
import { openDatabase } from "../src/adapters/postgres/open.ts";
import type { Job } from "./job.ts";
import { measure } from "./measure.ts";

const PER_PAGE = 50;

type Page = { readonly result: readonly Invite[]; readonly result_info: { readonly total_count: number } };

await measure(async ({ apiUrl, warmUpUrl, token, databaseUrl }: Job) => {
  const { prisma, close } = await openDatabase(databaseUrl, "command");
  const work = async (baseURL: string, watchName: string) => {
    const client = new Cloudflare({ apiToken: token, baseURL });
    const invites: Invite[] = [];
    // client.user.invites.list() asks for one page and drops result_info, so the pages are asked for by hand.
    for (let page = 1, total = 1; invites.length < total; page += 1) {
      const body = await client.get<Page>("/user/invites", { query: { page, per_page: PER_PAGE } });
      invites.push(...body.result);
      total = body.result_info.total_count;
    }
    await prisma.watch.upsert({ where: { name: watchName }, create: { name: watchName, headHash: "" }, update: {} });
    const now = new Date();
    for (const invite of invites) {
      const { id = "", roles = [], status = "pending" } = invite;
      const fields = {
        status,
        apiStatus: status,
        organizationId: invite.organization_id,
        organizationName: invite.organization_name ?? null,
        organizationEnforcesTwoFactor: invite.organization_is_enforcing_twofactor ?? null,
        invitedMemberId: invite.invited_member_id,
        invitedMemberEmail: invite.invited_member_email ?? null,
        invitedBy: invite.invited_by ?? null,
        roles,
        invitedAt: invite.invited_on ?? null,
        expiresAt: invite.expires_on ?? null,
        lastChangedAt: now,
        listed: true,
        fingerprint: id,
      };
      await prisma.invite.upsert({
        where: { watchName_id: { watchName, id } },
        create: { ...fields, watchName, id, firstSeenAt: now },
        update: fields,
      });
    }
    return { invites: invites.length, events: null };
  };
  return {
    warmUp: () => work(warmUpUrl, "warm-up"),
    run: () => work(apiUrl, "default"),
    close,
  };
});
