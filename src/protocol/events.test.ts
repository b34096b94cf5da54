import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { fromUtf8, utf8 } from "../bytes/text.ts";
import { eventsIn, MAX_EVENT, writeEvent } from "./events.ts";

async function* inPieces(octets: Uint8Array, length: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < octets.length; at += length) yield octets.subarray(at, at + length);
}

async function read(text: string, length = 1 << 20): Promise<readonly (readonly [string | undefined, number | undefined])[]> {
  const found = await Array.fromAsync(eventsIn(inPieces(utf8(text), length)));
  return found.map(({ data, retry }) => [data === undefined ? undefined : fromUtf8(data), retry] as const);
}

suite("events of a stream", () => {
  const written = [{ retry: 1000, data: utf8('{"a":1}') }, { retry: 0 }, { data: utf8("ü") }].map((event) => fromUtf8(writeEvent(event))).join("");

  test("are read as they were written, however they are cut", async () => {
    for (const length of [1, 2, 3, 7, 1000]) assert.deepEqual(await read(written, length), [['{"a":1}', 1000], [undefined, 0], ["ü", undefined]]);
  });

  test("comments, other fields and times that are none are passed over, and what has no end is not told", async () => {
    assert.deepEqual(await read(": still here\n\nevent: x\nid: 7\ndata:y\n\nretry: soon\n\ndata: cut off"), [[undefined, undefined], ["y", undefined], [undefined, undefined]]);
  });

  test("what is no text is refused", async () => {
    await assert.rejects(Array.fromAsync(eventsIn(inPieces(Uint8Array.of(0xff, 0x0a, 0x0a), 9))), { code: "answer-malformed" });
  });

  test("one without end is not awaited for ever", async () => {
    for (const end of ["", "\n\n"]) await assert.rejects(read(`data: ${"x".repeat(MAX_EVENT)}${end}`, 1000), { code: "service-answer-too-large" });
  });
});
