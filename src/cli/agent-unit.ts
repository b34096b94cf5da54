import { quoted } from "./portal/unit.ts";

/** The text of a systemd unit of a user's own session for the agent of a home: kept out of swap, and started anew, locked, when it has locked. */
export function agentUnitText(command: readonly string[]): string {
  return `[Unit]
Description=Mesh agent

[Service]
Type=notify
NotifyAccess=all
ExecStart=${command.map(quoted).join(" ")}
Environment=MALLOC_ARENA_MAX=2
# To lock is to end: the next one waits for \`mesh unlock\`.
Restart=always
RestartSec=1
UMask=0077
LimitCORE=0
MemorySwapMax=0
NoNewPrivileges=yes

[Install]
WantedBy=default.target
`;
}
