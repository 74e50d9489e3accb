import assert from "node:assert/strict";
import { test } from "node:test";
import { proxyFor } from "../../src/config/proxy.ts";

const SECURE = "http://proxy.example.net:3128/";
const PLAIN = "http://proxy.example.net:3129/";

function via(address: string, none = ""): string | null {
  return proxyFor(address, { https: SECURE, http: PLAIN, none });
}

test("each kind of address has its proxy, and this machine none", () => {
  assert.equal(via("https://api.cloudflare.com/client/v4"), SECURE);
  assert.equal(via("http://hc.example.com/x"), PLAIN);
  assert.equal(proxyFor("https://api.cloudflare.com/", { https: null, http: PLAIN, none: "" }), null);
  for (const host of [
    "localhost",
    "localhost.",
    "127.0.0.1",
    "127.9.9.9",
    "[::1]",

    "api.localhost",
  ]) {
    assert.equal(via(`https://${host}:8443/`), null, host);
  }
});

test("NO_PROXY means a name with all below it, an address, a network, a port, or everything", () => {
  for (const [none, address] of [
    ["*", "https://api.cloudflare.com/"],
    ["cloudflare.com", "https://api.cloudflare.com/"],
    [".cloudflare.com", "https://api.cloudflare.com/"],
    ["*.cloudflare.com", "https://api.cloudflare.com/"],
    ["b\u00fccher.example", "https://hooks.xn--bcher-kva.example/"],
    ["API.Cloudflare.COM", "https://api.cloudflare.com/"],
    ["api.cloudflare.com.", "https://api.cloudflare.com/"],
    ["x.example, api.cloudflare.com:443", "https://api.cloudflare.com/"],
    ["x.example api.cloudflare.com", "https://api.cloudflare.com./"],
    ["hooks.internal:8443", "https://hooks.internal:8443/x"],
    ["192.0.2.7", "https://192.0.2.7/"],
    ["192.0.2.7:8443", "https://192.0.2.7:8443/"],
    ["192.0.2.0/24", "https://192.0.2.7/"],
    ["2001:db8::/32", "https://[2001:db8::5]/"],
    ["2001:DB8:0::5", "https://[2001:db8::5]/"],
    ["[2001:db8::5]:8443", "https://[2001:db8::5]:8443/"],
  ] as const) {
    assert.equal(via(address, none), null, `${none} | ${address}`);
  }
});

test("NO_PROXY means nothing else", () => {
  for (const [none, address] of [
    ["", "https://api.cloudflare.com/"],
    [" , ", "https://api.cloudflare.com/"],
    ["flare.com", "https://api.cloudflare.com/"],
    ["cloudflare.com.evil.example", "https://api.cloudflare.com/"],
    ["api.cloudflare.com:8443", "https://api.cloudflare.com/"],
    ["192.0.2.0/24", "https://192.0.3.7/"],
    ["192.0.2.0/99", "https://192.0.2.7/"],
    ["0.0.0.0/0", "https://[2001:db8::5]/"],
    ["192.0.2", "https://192.0.2.7/"],
    [".", "https://api.cloudflare.com/"],
  ] as const) {
    assert.equal(via(address, none), SECURE, `${none} | ${address}`);
  }
});
