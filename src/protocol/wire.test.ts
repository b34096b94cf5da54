import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { utf8 } from "../bytes/text.ts";
import { deleteAccount } from "./accounts.ts";
import { decodeRequest, decodeResponse } from "./wire.ts";

suite("a list is no object, though it has no member that is wrong", () => {
  test("not as a request", () => {
    assert.throws(() => decodeRequest(utf8('{"Status":[]}')), { code: "request-malformed" });
    assert.equal(decodeRequest(utf8('{"Status":{}}')).command.name, "Status");
  });

  test("not as an answer", () => {
    assert.throws(() => decodeResponse(deleteAccount, utf8('{"DeleteAccountResponse":[]}')), { code: "answer-malformed" });
    assert.deepEqual(decodeResponse(deleteAccount, utf8('{"DeleteAccountResponse":{}}')), {});
  });
});
