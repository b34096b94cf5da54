// Node's own "spec" report; where tests failed, its counts once more at the end, after the long list of what failed.
import { Readable } from "node:stream";
import { spec } from "node:test/reporters";

export default async function* report(events) {
  const counts = [];
  let failed = false;
  async function* watched() {
    for await (const event of events) {
      if (event.type === "test:diagnostic" && event.data.nesting === 0 && /^(?:tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+$/.test(event.data.message)) counts.push(event.data.message);
      if (event.type === "test:fail") failed = true;
      yield event;
    }
  }
  yield* Readable.from(watched()).compose(new spec());
  if (failed) yield `\n${counts.map((count) => `ℹ ${count}\n`).join("")}`;
}
