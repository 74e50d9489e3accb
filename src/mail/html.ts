/**
 * The HTML part: tables and inline styles that hold in Outlook, Gmail and Apple Mail, readable from 320 px on,
 * light and dark. No images, no scripts, nothing that is loaded from elsewhere.
 */
import { html, raw } from "hono/html";
import { isolatedParts } from "./defang.ts";
import { DASHBOARD_URL } from "./links.ts";
import type { Fact, ItemView, MailView, SectionView } from "./model.ts";

type Markup = ReturnType<typeof html>;

const FONT = "font-family:-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;";
const WRAP = "overflow-wrap:anywhere;word-break:break-word;";
const INK = "#1d2329";
const MUTED = "#5a6570";
const BAR = { urgent: "#c0362c", open: "#2563a8", closed: "#8a94a0" } as const;

/** What inline styles cannot say or Outlook does not inherit; with !important where an inline style would win. */
const STYLE = raw(`
:root { color-scheme: light dark; supported-color-schemes: light dark; }
td, th { ${FONT} }
.ink { color: ${INK}; }
.muted { color: ${MUTED}; }
.facts-15 td, .facts-15 th { font-size: 15px; line-height: 22px; }
.facts-13 td, .facts-13 th { font-size: 13px; line-height: 20px; }
@media (min-width: 481px) {
  .card { padding: 28px 32px !important; }
  .label { width: 128px !important; }
}
@media (max-width: 480px) {
  .facts, .facts tbody, .facts tr { display: block !important; }
  .facts tr { padding: 2px 0 !important; }
  .label, .value { display: inline !important; padding: 0 !important; }
}
@media (prefers-color-scheme: dark) {
  .page { background-color: #15181c !important; }
  .card { background-color: #1f2429 !important; border-color: #343b43 !important; }
  .ink { color: #e8ebee !important; }
  .muted { color: #a7b0ba !important; }
  .rule { border-color: #343b43 !important; }
  .link { color: #7db4f0 !important; }
}
[data-ogsc] .ink { color: #e8ebee !important; }
[data-ogsc] .muted { color: #a7b0ba !important; }
[data-ogsc] .link { color: #7db4f0 !important; }
`);

/** The mail as one HTML document. */
export function renderHtml(view: MailView): string {
  return String(html`<!DOCTYPE html>
<html lang="en" dir="ltr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<meta name="format-detection" content="telephone=no, address=no, email=no, url=no">
<title>${view.subject}</title>
<style>${STYLE}</style>
</head>
<body class="page" style="margin:0;padding:0;background-color:#f3f4f6;">
<table role="presentation" class="page" width="100%" cellpadding="0" cellspacing="0" border="0" style="background-color:#f3f4f6;"><tr><td align="center" style="padding:16px 8px;">
${raw('<!--[if mso]><table role="presentation" width="640" cellpadding="0" cellspacing="0" border="0"><tr><td><![endif]-->')}
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" style="max-width:640px;"><tr><td class="card" align="left" style="padding:20px 16px;background-color:#ffffff;border:1px solid #dde1e6;border-radius:6px;${FONT}${WRAP}">
<h1 class="ink" style="margin:0 0 12px;font-size:20px;line-height:28px;font-weight:600;color:${INK};">${shown(view.title)}</h1>
${paragraph(view.lead)}
${view.sections.map(section)}
${view.notes.map(paragraph)}
${links(view)}
${facts(view.footer, "muted", 13)}
</td></tr></table>
${raw("<!--[if mso]></td></tr></table><![endif]-->")}
</td></tr></table>
</body>
</html>
`);
}

function section({ title, summary, items, more }: SectionView): Markup {
  return html`${title === null ? "" : heading(title, summary)}${items.map(item)}${more === null ? "" : paragraph(more)}`;
}

function heading(title: string, summary: string | null): Markup {
  return html`<h2 class="ink" style="margin:24px 0 12px;font-size:17px;line-height:24px;font-weight:600;color:${INK};">${shown(title)}${summary === null ? "" : html`<span class="muted" style="font-weight:400;color:${MUTED};">: ${shown(summary)}</span>`}</h2>
`;
}

function item({ headline, tone, facts: rows }: ItemView): Markup {
  return html`<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" style="margin:0 0 20px;"><tr><td style="padding:2px 0 2px 14px;border-left:4px solid ${BAR[tone]};">
${headline === null ? "" : html`<h3 class="ink" style="margin:0 0 6px;font-size:15px;line-height:22px;font-weight:600;color:${INK};">${shown(headline)}</h3>`}
${facts(rows, "ink", 15)}
</td></tr></table>
`;
}

/** Rows carry as little as can be: Gmail cuts off what is beyond 102 kB. */
function facts(rows: readonly Fact[], tone: "ink" | "muted", size: 13 | 15): Markup {
  const style = `${FONT}font-size:${size}px;line-height:${size + 7}px;color:${tone === "ink" ? INK : MUTED};`;
  return html`<table class="facts facts-${size}" width="100%" cellpadding="2" cellspacing="0" border="0" style="${style}">${rows.map(
    ({ label, value, more = [] }) => html`
<tr valign="top"><th scope="row" class="label muted" width="104" align="left" style="font-weight:400;color:${MUTED};">${label}:</th>
<td class="value ${tone}">${shown(value)}${more.map((line) => html`<p style="margin:6px 0 0;">${shown(line)}</p>`)}</td></tr>`,
  )}
</table>`;
}

function paragraph(text: string): Markup {
  return html`<p class="ink" style="margin:0 0 20px;font-size:15px;line-height:22px;color:${INK};">${shown(text)}</p>
`;
}

function links({ action }: MailView): Markup {
  return html`${paragraph(action)}
<p style="margin:0 0 20px;font-size:15px;line-height:22px;">${link(DASHBOARD_URL)}</p>
<hr class="rule" style="margin:24px 0 16px;border:0;border-top:1px solid #dde1e6;">`;
}

function link(url: string): Markup {
  return html`<a class="link" href="${url}" style="color:#1a5fb4;">${url}</a>`;
}

/** The text with an element around what stands isolated in it: some programs know only that, some only the marks. */
function shown(text: string): readonly (string | Markup)[] {
  return isolatedParts(text).map((part, index) => (index % 2 === 0 ? part : html`<bdi>\u2068${part}\u2069</bdi>`));
}
