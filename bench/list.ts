/** Reads the whole list as simply as can be: page after page with got, parsed and not proved. */
import got from "got";
import type { ApiInvite } from "../src/demo/sample-invite.ts";

const PER_PAGE = 50;

type Page = { readonly result: readonly ApiInvite[]; readonly result_info: { readonly total_count: number } };

export function createListReader(token: string): (baseUrl: string) => Promise<readonly ApiInvite[]> {
  const http = got.extend({ headers: { authorization: `Bearer ${token}` } });
  return async (baseUrl) => {
    const invites: ApiInvite[] = [];
    for (let page = 1, total = 1; invites.length < total; page += 1) {
      const body: Page = JSON.parse(await http(`${baseUrl}/user/invites?page=${page}&per_page=${PER_PAGE}`).text());
      invites.push(...body.result);
      total = body.result_info.total_count;
    }
    return invites;
  };
}
