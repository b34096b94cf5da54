/** Values by labels; `{}` for what has none. */
export type Sample = { readonly labels?: Readonly<Record<string, string>>; readonly value: number; /** What follows the name: `_bucket`, `_sum`, `_count`. */ readonly suffix?: string };

/** One metric with its samples. */
export type Metric = { readonly name: string; readonly help: string; readonly type: "counter" | "gauge" | "histogram" | "summary"; readonly samples: readonly Sample[] };

/** The media type of the text format, as scrapers ask for it. */
export const expositionType = "text/plain; version=0.0.4; charset=utf-8";

/** Writes metrics in Prometheus' text format 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/). */
export function exposition(metrics: readonly Metric[]): string {
  return metrics
    .filter(({ samples }) => samples.length > 0)
    .map(({ name, help, type, samples }) => {
      const lines = samples.map(({ labels = {}, value, suffix = "" }) => `${name}${suffix}${labelsText(labels)} ${numberText(value)}`);
      return `# HELP ${name} ${help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}\n# TYPE ${name} ${type}\n${lines.join("\n")}\n`;
    })
    .join("");
}

function labelsText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  return Number.isFinite(value) ? String(value) : value > 0 ? "+Inf" : "-Inf";
}

/** Upper bounds of times in seconds: from a read out of memory to a client's patience. */
const BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10] as const;

/** How many times fell under each bound, by one label. */
export class Histograms {
  readonly #rows = new Map<string, { readonly counts: number[]; sum: number; count: number }>();

  observe(label: string, seconds: number): void {
    const row = this.#rows.get(label) ?? { counts: BOUNDS.map(() => 0), sum: 0, count: 0 };
    this.#rows.set(label, row);
    BOUNDS.forEach((bound, at) => {
      if (seconds <= bound) row.counts[at] = (row.counts[at] ?? 0) + 1;
    });
    row.sum += seconds;
    row.count += 1;
  }

  samples(label: string): readonly Sample[] {
    return [...this.#rows].flatMap(([value, { counts, sum, count }]) => [
      ...counts.map((below, at) => ({ suffix: "_bucket", labels: { [label]: value, le: String(BOUNDS[at]) }, value: below })),
      { suffix: "_bucket", labels: { [label]: value, le: "+Inf" }, value: count },
      { suffix: "_sum", labels: { [label]: value }, value: sum },
      { suffix: "_count", labels: { [label]: value }, value: count },
    ]);
  }
}

/** Counts by some labels. */
export class Counts {
  readonly #rows = new Map<string, { readonly labels: Readonly<Record<string, string>>; value: number }>();

  add(labels: Readonly<Record<string, string>>, by = 1): void {
    const key = Object.values(labels).join("\0");
    const row = this.#rows.get(key) ?? { labels, value: 0 };
    this.#rows.set(key, row);
    row.value += by;
  }

  samples(): readonly Sample[] {
    return [...this.#rows.values()];
  }
}
