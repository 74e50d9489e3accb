/** The only link in a mail. */
export const DASHBOARD_URL = "https://dash.cloudflare.com/";
