import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { cap, defang, quote } from "../../src/mail/defang.ts";
import { hostileTexts, linksIn, phonesIn } from "./samples.ts";

const LONG = 50_000;
/** Control and bidi characters, line ends, tags and fillers; not the joiners, which some writing needs. */
const NEVER =
  /\u034F|[\p{Cc}\u00AD\u061C\u115F\u1160\u180E\u200B\u200E\u200F\u2028-\u202E\u2060-\u206F\u3164\uFEFF\uFFA0\uFFF9-\uFFFB\u{E0000}-\u{E0FFF}\p{Cs}]/u;
const PHONE = /(?:\p{Nd}[\s().+\p{Pd}/[\]]*){7}/u;
const IPV4 = /^[\d.[\]]+$/;

/** Text around which linkifiers are eager: pieces of addresses, hosts, schemes and numbers, in any order. */
const eager = fc
  .array(
    fc.oneof(
      fc.constantFrom(..."./:@\\[]()<>\"'-_+#?&=%~ \u3002\uFF0E\uFF20\u200B\u200D\u202E\uFE0F\u0301"),
      fc.constantFrom("http", "https://", "//", "mailto:", "www.", "com", "evil.com", "xn--p1ai", "рф", "localhost"),
      fc.constantFrom(
        "[.]",
        "[at]",
        "[://]",
        "a",
        "b",
        "Z",
        "é",
        "例",
        "مثال",
        "👩",
        "क्",
        "1",
        "42",
        "800",
        "555-0199",
      ),
      fc.emailAddress(),
      fc.webUrl(),
      fc.domain(),
      fc.ipV4(),
      fc.ipV6(),
    ),
    { maxLength: 14 },
  )
  .map((parts) => parts.join(""));
const anything = fc.oneof(eager, fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" }));

for (const { name, text, shown } of hostileTexts()) {
  test(`nothing in a stranger's text can be clicked or hidden (${name})`, () => {
    const defanged = defang(text, LONG);

    assert.deepEqual(linksIn(defanged), []);
    assert.doesNotMatch(defanged, NEVER);
    assert.ok(IPV4.test(defanged) || !PHONE.test(defanged), "no telephone number");
    if (shown !== null) assert.equal(defanged, shown);
  });
}

test("no text whatever yields a link", () => {
  fc.assert(
    fc.property(anything, (text) => {
      assert.deepEqual(linksIn(defang(text, LONG)), []);
    }),
    { numRuns: 3000 },
  );
});

/** Digits of any script, and what stands between those of telephone numbers, or looks like it. */
const dialled = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        "+1",
        "+49 ",
        "0049",
        "030",
        "415",
        "555",
        "2671",
        "(0)",
        "1234567",
        "\uff0b81",
        "１４１５",
        "٠٤١٥",
        "1️",
      ),
      fc.constantFrom(
        ..." -.()/~*#,;:'_\u00a0\u2010\u2013\u2212\u30fc\u3001\u3002\u30fb\u301c\uff0d\uff08\uff09\uff5e\u3000",
      ),
      fc.constantFrom("\ufe0e", "\ufe0f", "\u20e3", "\u0301", "\u200b", "\u00ad", "\u2060", "[", "]", "ext", "x", "a"),
    ),
    { maxLength: 14 },
  )
  .map((parts) => parts.join(""));

test("no text whatever yields a telephone number", () => {
  fc.assert(
    fc.property(fc.oneof(dialled, anything), (text) => {
      assert.deepEqual(phonesIn(defang(text, LONG)), []);
    }),
    { numRuns: 2000 },
  );
});

for (const [text, shown] of [
  ["+1 415ー555ー2671", "+1_415_555_2671"],
  ["（415）555－2671", "415_555_2671"],
  ["+1 415、555、2671", "+1_415_555_2671"],
  ["415\ufe0e555\ufe0e2671", "4155_5526_71"],
  ["4️1️5️5️5️5️2️6️7️1️", "4155_5526_71"],
  ["1️⃣ 2️⃣ 3️⃣ 4️⃣ 5️⃣ 6️⃣ 7️⃣", "1_2_3_4_5_6_7"],
  ["1️⃣ First", "1️⃣ First"],
  ["＋８１ ３ １２３４", "+８１_３_１２３４"],
  ["mailto:!x", "mailto[:]!x"],
  ["javascript:;alert", "javascript[:];alert"],
  ["Note: at 10:30 (sic:) yes:", "Note: at 10:30 (sic:) yes:"],
] as const) {
  test(`${text} is shown as ${shown}`, () => {
    assert.equal(defang(text, LONG), shown);
    assert.deepEqual([...phonesIn(shown), ...linksIn(shown)], []);
  });
}

test("no text whatever yields an invisible character, and the result is always well-formed", () => {
  fc.assert(
    fc.property(
      fc.oneof(anything, fc.string({ unit: fc.nat(0xffff).map((unit) => String.fromCharCode(unit)) })),
      (text) => {
        const defanged = defang(text, LONG);

        assert.doesNotMatch(defanged, NEVER);
        assert.ok(defanged.isWellFormed());
      },
    ),
    { numRuns: 3000 },
  );
});

test("defanging twice changes nothing more", () => {
  fc.assert(
    fc.property(anything, (text) => {
      const once = defang(text, LONG);

      assert.equal(defang(once, LONG), once);
    }),
    { numRuns: 3000 },
  );
});

test("a long text is cut between graphemes and says so", () => {
  const family = "👩‍👩‍👧";

  assert.equal(defang(family.repeat(5), 3), `${family}${family}…`);
  assert.equal(defang("abcdef", 4), "abc…");
  assert.equal(defang("abcd", 4), "abcd");
});

test("a text is never longer than asked for, in graphemes and within eight units for each", () => {
  fc.assert(
    fc.property(anything, fc.integer({ min: 1, max: 20 }), (text, maxLength) => {
      const defanged = defang(text, maxLength);

      assert.ok([...new Intl.Segmenter("en").segment(defanged)].length <= maxLength);
      assert.ok(defanged.length <= 8 * maxLength + 1);
    }),
  );
});

test("a cut leaves no link behind", () => {
  fc.assert(
    fc.property(anything, fc.integer({ min: 1, max: 40 }), (text, maxLength) => {
      assert.deepEqual(linksIn(defang(text, maxLength)), []);
    }),
    { numRuns: 2000 },
  );
});

test("a single grapheme cannot be of any length", () => {
  const endless = `A${"\u200D👩".repeat(5000)}`;

  assert.ok(cap(`👩${"\u200D👩".repeat(5000)}`, 10).length <= 81);
  assert.ok(defang(endless, 10).length <= 81);
});

test("nothing inside quotation marks can close them, or seems to", () => {
  assert.equal(quote("Acme” was accepted. “", 60), "“Acme' was accepted. '”");
  for (const mark of [
    "❞",
    "〞",
    "〟",
    "＂",
    "″",
    "‶",
    "˝",
    "ʺ",
    "״",
    "🙷",
    "〃",
    "''",
    "’’",
    "´´",
    "′′",
    "ˮ",
    " \u030b",
  ]) {
    assert.match(quote(`Acme${mark} was accepted. It is`, 60), /^“Acme'? was accepted\. It is”$/, mark);
  }
});

test("marks that are part of words stay", () => {
  for (const name of ["בע״מ", "L'Oréal", "Rock 'n' Roll", "d’Artagnan", "«Рога»", "5′ walk"]) {
    assert.equal(quote(name, 60).replace(/[\u2068\u2069]/g, ""), `“${name}”`);
  }
});

test("hostile input of 10,000 characters takes no longer than other text", () => {
  const hostile = [
    "+",
    "1+",
    "(",
    "1\u0301",
    "1\ufe0f",
    "\u0301 ",
    "'",
    "a.",
    "1-",
    "@",
    "//",
    "[",
    "a:",
    "\u0301",
    " ",
    "👩\u200D",
    "1.1.",
    "=?",
    "(",
    "+(1",
  ];

  for (const piece of hostile) {
    const text = piece.repeat(Math.ceil(10_000 / piece.length));
    const runsMs = [1, 2, 3].map(() => {
      const startedAt = performance.now();
      defang(text, 100);
      return performance.now() - startedAt;
    });

    const tookMs = Math.min(...runsMs);
    assert.ok(tookMs < 50, `${JSON.stringify(piece)} took ${tookMs} ms`);
  }
});
