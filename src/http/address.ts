/** Reads `HOST:PORT`, `[IPV6]:PORT` or `PORT`; undefined for anything else. */
export function parseListen(text: string, usualHost: string): { readonly host: string; readonly port: number } | undefined {
  const match = /^(?:(\[[0-9a-fA-F:]+\]|[^:\s]+):)?(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (match === null || port > 65_535) return undefined;
  return { host: (match[1] ?? usualHost).replace(/^\[|\]$/g, ""), port };
}
