/** The page that shows the previewed mails side by side, on a telephone and on a wide screen. */
import { html, raw } from "hono/html";
import type { Preview } from "../mail/preview.ts";

const STYLE = raw(`
:root { color-scheme: light dark; }
body { margin: 0 24px 48px; font: 15px/1.5 system-ui, sans-serif; }
nav { columns: 3 260px; }
h2 { margin: 48px 0 4px; font-size: 19px; }
p { margin: 0 0 12px; }
.pair { display: flex; gap: 24px; overflow-x: auto; padding-bottom: 8px; }
iframe { flex: none; height: 760px; border: 1px solid #888; }
`);
const WIDTHS = [320, 1200];

/** One HTML document; the mails stand beside it in files of their own. */
export function renderPreviewPage(previews: readonly Preview[]): string {
  return String(html`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Mails of invitewatch</title>
<style>${STYLE}</style>
</head>
<body>
<h1>Mails of invitewatch</h1>
<p>Each at 320 and 1200 px. Light or dark is what your browser prefers.</p>
<nav>${previews.map(({ name, title }) => html`<a href="#${name}">${title}</a><br>\n`)}</nav>
${previews.map(section)}
</body>
</html>
`);
}

function section({ name, title, mail: { subject, attachments } }: Preview) {
  const kinds = ["eml", "html", "txt", ...(attachments.length > 0 ? ["ics"] : [])];
  return html`<h2 id="${name}">${title}</h2>
<p><b>${subject}</b> ${kinds.map((kind) => html`<a href="${name}.${kind}">.${kind}</a> `)}</p>
<div class="pair">${WIDTHS.map((width) => html`<iframe src="${name}.html" width="${width}" sandbox loading="lazy" title="${title}, ${width} px"></iframe>`)}</div>
`;
}
