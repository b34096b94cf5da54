/** What a unit is made for. */
export type UnitParts = { readonly command: readonly string[]; readonly state: string; readonly lowPort: boolean; readonly user: string | undefined; readonly hideHomes: boolean; /** What it writes to besides. */ readonly also?: string | undefined };

/** The text of a systemd unit for a portal whose directory is `/var/lib/<state>`: nothing else is writable but a depot, and little is visible. */
export function unitText({ command, state, lowPort, user, hideHomes, also }: UnitParts): string {
  const bind = lowPort ? "CAP_NET_BIND_SERVICE" : "";
  return `[Unit]
Description=Mesh portal
Documentation=https://datatracker.ietf.org/doc/html/draft-hallambaker-mesh-architecture-04
After=network-online.target
Wants=network-online.target

[Service]
Type=notify
NotifyAccess=all
ExecStart=${command.map(quoted).join(" ")}
ExecReload=kill -HUP $MAINPID
Restart=on-failure
RestartSec=2
TimeoutStopSec=30
LimitNOFILE=65536
LimitCORE=0

# Its own directory, and nothing else.
${user === undefined ? "DynamicUser=yes" : `User=${user}`}
StateDirectory=${state}
StateDirectoryMode=0700
UMask=0077
ProtectSystem=strict
${also === undefined ? "" : `ReadWritePaths=${quoted(also)}\n`}ProtectHome=${hideHomes ? "yes" : "read-only"}
PrivateTmp=yes
PrivateDevices=yes
ProtectProc=invisible
ProcSubset=pid
RemoveIPC=yes

# No more of the kernel than a server needs. (MemoryDenyWriteExecute is not for programs that compile while they run.)
NoNewPrivileges=yes
CapabilityBoundingSet=${bind}
AmbientCapabilities=${bind}
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
`;
}

/** An argument as a unit file has it: quotes, and its percent and dollar signs doubled. */
export function quoted(text: string): string {
  const escaped = text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("%", "%%").replaceAll("$", "$$$$");
  return /^[\w./:=,@+-]+$/.test(text) ? text : `"${escaped}"`;
}
