/** A format of files of passwords, by the name that people type. */
export type FormatName = (typeof formats)[number]["name"];

/** Every format, and what can be done with it. `protected` ones may ask for a password. */
export const formats = [
  { name: "mesh", is: "a file of Mesh", reads: true, writes: true },
  { name: "bitwarden", is: "a Bitwarden export (JSON)", reads: true, writes: true },
  { name: "keepassxc-xml", is: "a KeePassXC export (XML)", reads: true, writes: true },
  { name: "kdbx", is: "a KeePass database (KDBX 4)", reads: true, writes: false },
  { name: "1pux", is: "a 1Password export (1PUX)", reads: true, writes: false },
  { name: "bitwarden-csv", is: "a Bitwarden export (CSV)", reads: true, writes: true },
  { name: "chrome-csv", is: "a table of Chrome's passwords (CSV)", reads: true, writes: true },
  { name: "firefox-csv", is: "a table of Firefox's passwords (CSV)", reads: true, writes: true },
  { name: "safari-csv", is: "a table of Safari's passwords (CSV)", reads: true, writes: true },
  { name: "keepassxc-csv", is: "a KeePassXC export (CSV)", reads: true, writes: true },
] as const;

/** How a format is called in a sentence. */
export function formatWords(name: FormatName): string {
  return formats.find((format) => format.name === name)?.is ?? name;
}
