import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { makeTestHome, type TestHome } from "../../test-home.ts";

let home: TestHome;
before(async () => {
  home = await makeTestHome();
  await home.run(["password", "add", "mail", "--generate", "--totp-file", "FILE"], { input: "otpauth://totp/Mail:alice?secret=JBSWY3DPEHPK3PXP&digits=8&period=60\n" });
});
after(() => home.remove());

test("the code of now comes with how long it holds, to a terminal too; the secret behind it only on demand", async () => {
  const { out, err, status } = await home.run(["password", "get", "mail", "--field", "totp"], { terminal: true });
  assert.match(out, /^[0-9]{8}\n$/);
  assert.match(err, /^It holds for [0-9]+ seconds?\.\n$/);
  assert.equal(status, 0);
  const document = JSON.parse((await home.run(["password", "get", "mail", "--field", "totp", "--json"])).out) as { field: string; value: string; secondsLeft: number };
  assert.ok(document.field === "totp" && /^[0-9]{8}$/.test(document.value) && document.secondsLeft >= 1 && document.secondsLeft <= 60);
  assert.equal((await home.run(["password", "get", "mail", "--field", "totp-secret"], { terminal: true })).status, 2);
  assert.match((await home.run(["password", "get", "mail", "--field", "totp-secret"])).out, /^otpauth:.*period=60\n$/, "kept as it was given");
});

test("what would never give a code is not taken, and no refusal repeats it", async () => {
  for (const input of ["otpauth://hotp/x?secret=JBSWY3DPEHPK3PXP", "not base32!"]) {
    const { err, status } = await home.run(["password", "edit", "mail", "--totp-file", "FILE", "--json"], { input });
    assert.ok(status === 2 && err.includes("totp-malformed") && !err.includes("JBSWY") && !err.includes("not base32!"));
  }
});
