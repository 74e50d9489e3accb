import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { type Background, inviterDomain, suspicionsOf } from "../../src/domain/suspicion.ts";
import { invite } from "../support/build.ts";

const familiar: Background = { inviterDomains: new Set(["acme.example"]), organizationsLately: 1 };

const WEB_ADDRESS = "the organization's name holds a web address";
const ALPHABETS = "the organization's name mixes alphabets within a word";

/** What there is to say of an organization's name alone. */
function suspicionsOfName(organizationName: string | null): readonly string[] {
  return suspicionsOf(invite({ organizationName, roles: ["DNS"] }), familiar);
}

function hostile(file: string): readonly { readonly name: string; readonly text: string }[] {
  return JSON.parse(readFileSync(new URL(`../fixtures/hostile/${file}.json`, import.meta.url), "utf8"));
}

test("an ordinary invitation gives no reason to look twice", () => {
  assert.deepEqual(suspicionsOfName("Acme"), []);
  assert.deepEqual(suspicionsOfName(null), []);
  assert.deepEqual(suspicionsOf(invite({ roles: [], invitedBy: null }), familiar), []);
});

/** Those of the corpus that are no names but attempts at a link. */
const NO_NAMES: ReadonlySet<string> = new Set(["homoglyphs of a domain", "right-to-left domain"]);

for (const { name, text } of hostile("scripts").filter((one) => !NO_NAMES.has(one.name))) {
  test(`a name is ordinary in any script (${name})`, () => {
    assert.deepEqual(suspicionsOfName(text), []);
  });
}

test("names of companies as they are written everywhere are ordinary", () => {
  const names = [
    "Müller & Söhne GmbH & Co. KG",
    "Muster GmbH & Co.KG",
    "Ferrari S.p.A.",
    "J.P. Morgan",
    "Node.js Foundation",
    "St.Gallen AG",
    "Acme sp. z o.o.",
    "Acme d.o.o.",
    "Foo & Co. Net Services",
    "Dot Matrix Ltd.",
    "Black Dot Tech",
    "Web 2.0 GmbH",
    "24/7 Support",
    "µTorrent",
    "Яндекс Cloud",
    "1С-Bitrix",
    "ООО «Рога и Копыта»",
    "Expiration Labs",
    "Verifying Trust Inc",
    "Prizewell",
  ];

  for (const name of names) assert.deepEqual(suspicionsOfName(name), [], name);
});

/** Schemes of other programs, version numbers and the like, that hold no address of the web. */
const NO_ADDRESSES: ReadonlySet<string> = new Set(["initials stay readable", "version numbers stay readable"]);

for (const { name, text } of [...hostile("links"), ...hostile("addresses")].filter(
  (one) => !NO_ADDRESSES.has(one.name),
)) {
  test(`a web address in a name is noticed (${name})`, () => {
    assert.deepEqual(
      suspicionsOfName(text).filter((one) => one === WEB_ADDRESS),
      [WEB_ADDRESS],
    );
  });
}

test("a web address is noticed however its dots are written", () => {
  const names = ["Acme evil[.]com", "evil (dot) com", "evil dot com", "evil .com", "EVIL.RU", "evil.de", "hxxps[:]//x"];

  for (const name of names) assert.deepEqual(suspicionsOfName(name), [WEB_ADDRESS], name);
});

test("words that press or promise are noticed, as whole words in any case", () => {
  assert.deepEqual(suspicionsOfName("URGENT: Payment due"), ["the organization's name says urgent, payment"]);
  assert.deepEqual(suspicionsOfName("Action-Required"), ["the organization's name says action required"]);
  assert.deepEqual(suspicionsOfName("Your account is sus\u200bpended"), ["the organization's name says suspended"]);
});

test("a word that mixes look-alike alphabets is noticed", () => {
  assert.deepEqual(suspicionsOfName("P\u0430yPal"), [ALPHABETS]);
  assert.deepEqual(suspicionsOfName("G\u03bfogle"), [ALPHABETS]);
});

const LIKE_CLOUDFLARE = "the organization is named like Cloudflare itself, as anybody can name one";

test("an organization that is named like Cloudflare is noticed, in whatever letters", () => {
  const names = [
    "Cloudflare Security Team",
    "CLOUDFLARE",
    "Cloud Flare Support",
    "Cloud-Flare",
    "C l o u d f l a r e",
    "Cl0udf1are",
    "CloudfIare",
    "C\u200bloud\u00adfl\u2060are",
    "Сlоudflаrе",
    "Ϲlουdflαrε",
    "Ｃｌｏｕｄｆｌａｒｅ",
    "𝐂𝐥𝐨𝐮𝐝𝐟𝐥𝐚𝐫𝐞",
    "Ⓒⓛⓞⓤⓓⓕⓛⓐⓡⓔ",
    "🅲🅻🅾🆄🅳🅵🅻🅰🆁🅴",
    "ᴄʟᴏᴜᴅꜰʟᴀʀᴇ",
    "ꓚꓡꓳꓴꓓꓝꓡꓮꓣꓰ",
    "Clöüdflåré",
    "Clouclflare",
    "Claudflare",
    "Cloudfare",
    "Cloudflrae Billing",
    "Cloudfllare",
    "MyCloudflarePartner",
    "Cloudfla\u0332re\u0332",
  ];

  for (const name of names) assert.ok(suspicionsOfName(name).includes(LIKE_CLOUDFLARE), name);
});

test("a name that only has part of Cloudflare's is ordinary", () => {
  const names = [
    "Cloud Nine",
    "Flare Systems",
    "Cloud Software AG",
    "Cloudera",
    "Cloudware",
    "Solarflare",
    "Clara Lou",
  ];

  for (const name of names) assert.deepEqual(suspicionsOfName(name), [], name);
});

test("an inviter that is named like Cloudflare is noticed, unless the address is one of Cloudflare's", () => {
  const from = (invitedBy: string) =>
    suspicionsOf(invite({ invitedBy, roles: [] }), { ...familiar, inviterDomains: new Set() });
  const clause = "the inviter is named like Cloudflare, at an address that is not Cloudflare's";

  for (const invitedBy of [
    "Cloudflare Security <x@evil.example>",
    "support@cloudflare-security.example",
    "cloudflare-support@evil.example",
    "x@cloudflare.com.evil.example",
    "x@cloudfIare.com",
    "support@cloudflare.com <x@evil.example>",
    "x@evil.example, y@cloudflare.com",
    "x@evilcloudflare.com",
  ]) {
    assert.deepEqual(from(invitedBy), [clause], invitedBy);
  }
  assert.ok(from("x@cl\u043eudflare.com").includes(clause));
  for (const invitedBy of [
    "x@cloudflare.com",
    "Cloudflare Sales <sales@emea.cloudflare.com>",
    "cloudflare@acme.example",
    "dns+cloudflare@acme.example",
  ]) {
    assert.deepEqual(from(invitedBy), [], invitedBy);
  }
});

test("an inviter's name that mixes alphabets is noticed", () => {
  const suspicions = suspicionsOf(invite({ invitedBy: "P\u0430yPal <x@acme.example>", roles: [] }), familiar);

  assert.deepEqual(suspicions, ["the inviter's name mixes alphabets within a word"]);
});

test("an inviter's domain is new only beside others that are known", () => {
  const clause = "no earlier invitation came from the inviter's domain";
  const from = (invitedBy: string | null, domains: readonly string[]) =>
    suspicionsOf(invite({ invitedBy, roles: [] }), { ...familiar, inviterDomains: new Set(domains) });

  assert.deepEqual(from("x@new.example", ["acme.example"]), [clause]);
  assert.deepEqual(from("x@sub.acme.example", ["acme.example"]), [clause]);
  assert.deepEqual(from("X@ACME.Example", ["acme.example"]), []);
  assert.deepEqual(from("x@new.example", []), []);
  assert.deepEqual(from(null, ["acme.example"]), []);
});

test("many organizations at once are noticed", () => {
  const lately = (organizationsLately: number) =>
    suspicionsOf(invite({ roles: [] }), { ...familiar, organizationsLately });

  assert.deepEqual(lately(4), []);
  assert.deepEqual(lately(5), ["5 organizations sent a first invitation within 24 hours"]);
});

test("the role of an administrator is noticed, whatever kind of administrator it is", () => {
  for (const role of ["Super Administrator - All Privileges", "Administrator", "DNS admin"]) {
    const suspicions = suspicionsOf(invite({ roles: ["DNS", role] }), familiar);

    assert.deepEqual(suspicions, ["it gives the role of an administrator"]);
  }
});

test("every reason is given, and none holds a word of the stranger's", () => {
  const name = "Urgent \u0441laim at evil.com\r\nBcc: x";

  const suspicions = suspicionsOf(invite({ organizationName: name, invitedBy: "x@<b>.example" }), {
    inviterDomains: new Set(["acme.example"]),
    organizationsLately: 12,
  });

  assert.equal(suspicions.length, 5);
  assert.doesNotMatch(suspicions.join(), /evil|Bcc|</);
});

test("the domain of an inviter is read from an address, with or without a name", () => {
  assert.equal(inviterDomain("Amara@Acme.Example"), "acme.example");
  assert.equal(inviterDomain("Amara Okafor <amara@acme.example>"), "acme.example");
  assert.equal(inviterDomain("amara@acme.example. "), "acme.example");
  assert.equal(inviterDomain("Amara"), null);
  assert.equal(inviterDomain("amara@"), null);
  assert.equal(inviterDomain(null), null);
});

test("any text whatever is judged, and quickly", () => {
  const pieces = [
    "c",
    "cl",
    "c ",
    "cloudflar",
    "cloudflar ",
    "a.",
    "a ",
    " .",
    "[.]",
    "1.",
    "@",
    "-",
    "dot ",
    "xn--",
    "\u0301",
    "\ud800",
  ];

  for (const piece of pieces) {
    const startedAt = performance.now();
    suspicionsOfName(piece.repeat(100_000));
    assert.ok(performance.now() - startedAt < 50, JSON.stringify(piece));
  }
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      inviterDomain(text);
      suspicionsOfName(text);
    }),
  );
});
