/** The version of what is said over the socket (docs/spec/agent.md). */
export const PROTOCOL = 1;

/** Characters of the longest line that an agent reads, and of the longest that it answers with. */
export const [MAX_REQUEST, MAX_ANSWER] = [2 * 1024 * 1024, 64 * 1024 * 1024];

/** Where a command runs whose words the agent is told: what its own process would know of it. */
export type Caller = {
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Which of standard input, output and error are terminals. */
  readonly terminals: readonly [boolean, boolean, boolean];
  /** How wide the terminal is; null where there is none. */
  readonly columns: number | null;
};

/** A secret on its way into a keyring, in base64url. */
export type SentSecret = { readonly id: string; readonly purpose: string; readonly secret: string };

/** What an agent is asked for; octets are base64url. */
export type Wish =
  | { readonly ask: "status" }
  | { readonly ask: "lock" }
  | { readonly ask: "unlock"; readonly passphrase: string }
  | { readonly ask: "run"; readonly caller: Caller }
  | { readonly ask: "list" }
  | { readonly ask: "sign"; readonly id: string; readonly message: string }
  | { readonly ask: "sign-added"; readonly id: string; readonly contribution: string; readonly publicKey: string; readonly message: string }
  | { readonly ask: "decapsulate"; readonly id: string; readonly ciphertext: string }
  | { readonly ask: "derive"; readonly label: string; readonly length: number }
  | { readonly ask: "add"; readonly secrets: readonly SentSecret[] }
  | { readonly ask: "remove"; readonly id: string };

/** One request, one line: by which build, of which home, what. */
export type Request = { readonly v: number; readonly build: string; readonly home: string } & Wish;

/** Why an agent does not do what it is asked, and the caller does it by itself. */
export type Declined = "version" | "build" | "home" | "locked" | "malformed" | "not-served";

/** One answer, one line. */
export type Answer =
  | { readonly v: number; readonly ok: unknown }
  | { readonly v: number; readonly error: { readonly code: string; readonly message: string; readonly hint: string | null } }
  | { readonly v: number; readonly declined: Declined };

/** What a command that the agent ran has written, in order, and its exit status. */
export type Outcome = { readonly exit: number; readonly written: readonly (readonly [1 | 2, string])[] };

/** What an agent says of itself. */
export type AgentStatus = {
  readonly pid: number;
  readonly build: string;
  readonly unlocked: boolean;
  /** So many milliseconds without use, and it locks. */
  readonly lockAfter: number;
  /** How it keeps its home in step with the portal: it is told of changes, or asks every half minute; null while it does neither. */
  readonly inStep: "told" | "asks" | null;
  readonly guards: Guards;
  /** Why a client of SSH was refused last, by whatever asks its person: SSH itself has no words for it. */
  readonly refused: Refused | null;
};

/** When something was refused, in milliseconds since 1970, and why. */
export type Refused = { readonly at: number; readonly code: string; readonly message: string };

/** What keeps its secrets in, as far as this system lets it. */
export type Guards = {
  /** The kernel said of each caller that it is the same user. */
  readonly peersChecked: boolean;
  /** Its memory is in no core dump, and closed to other processes of the same user. */
  readonly noDumps: boolean;
  /** No memory of this computer goes to a disk: there is no swap, or none for this process. */
  readonly noSwap: boolean;
};
