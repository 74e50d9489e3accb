/** The one link that every mail carries; the only other one is the configured public URL. */
export const DASHBOARD_URL = "https://dash.cloudflare.com/";
