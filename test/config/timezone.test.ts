import assert from "node:assert/strict";
import { test } from "node:test";
import { loadConfig } from "../../src/config/load.ts";
import { readTimezone } from "../../src/config/timezone.ts";

function read(text: string, ofMachine?: () => string | null) {
  const faults: string[] = [];
  const zone = readTimezone(text, (fault) => faults.push(fault), ofMachine);
  return zone ?? faults.join(" ");
}

const MEANT = [
  ["Europe/Berlin", "Europe/Berlin"],
  ["europe/berlin", "Europe/Berlin"],
  [":Europe/Berlin", "Europe/Berlin"],
  ["posix/Europe/Berlin", "Europe/Berlin"],
  [":/usr/share/zoneinfo/Europe/Berlin", "Europe/Berlin"],
  ["/usr/share/zoneinfo/posix/Asia/Tokyo", "Asia/Tokyo"],
  ["UTC", "UTC"],
  ["UTC0", "UTC"],
  ["GMT0", "GMT0"],
  ["UTC+0", "UTC"],
  ["UTC-00:00", "UTC"],
  ["<UTC>0", "UTC"],
  ["Etc/UTC", "Etc/UTC"],
  ["Etc/GMT+5", "Etc/GMT+5"],
  ["EST5EDT", "EST5EDT"],
] as const;

for (const [text, zone] of MEANT) {
  test(`${text} is ${zone}`, () => assert.equal(read(text), zone));
}

for (const text of [":/etc/localtime", "/etc/localtime", "localtime"]) {
  test(`${text} is this machine's zone`, () => {
    assert.equal(
      read(text, () => "Europe/Paris"),
      "Europe/Paris",
    );
    assert.match(
      read(text, () => null),
      /this machine's zone, whose name \/etc\/localtime does not tell\./,
    );
    assert.notEqual(loadConfig({ TZ: text }).timezone, "");
  });
}

const REFUSED = [
  ["CET-1CEST", /POSIX rule and not the name/],
  ["CET-1CEST,M3.5.0,M10.5.0/3", /POSIX rule/],
  ["<+03>-3", /POSIX rule/],
  ["EST5", /POSIX rule/],
  ["GMT+1", /POSIX rule/],
  ["right/Europe/Berlin", /leap seconds/],
  ["/home/me/zone", /path of a file/],
  ["+02:00", /It is not a time zone\./],
  ["nonsense", /It is not a time zone\./],
  ["Europe/Berln", /did you mean Europe\/Berlin\?/],
  ["Berlin", /did you mean Europe\/Berlin\?/],
] as const;

for (const [text, fault] of REFUSED) {
  test(`${text} is refused, with no suggestion that is far off`, () => {
    assert.match(read(text), fault);
    if (!/Berl/.test(text)) assert.doesNotMatch(read(text), /did you mean/);
  });
}
