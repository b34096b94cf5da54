/**
 * Says how a managed server stands, waits for new files, and puts them in the place of the old ones if those are still what they were.
 *
 * It is one argument in single quotes, and has none within, nor a backslash, an exclamation mark or a line break, as that of `remote-edit.ts`. Its own
 * arguments: the word that marks what it says, the path of sshd_config, the account.
 *
 * sshd takes what is in a file at each login, and what is in its configuration when it reads that again. So lists go first, what revokes before all; a new drop-in is
 * tried in a configuration beside (`sshd -t`) before it takes its place, and once more in it, and goes back where that fails; then sshd is told. `state` comes last: files without
 * it were not finished, and go if sshd does not name them.
 */
export const script = [
  "set -f; n=$1; c=$2; u=$3; b=$(dirname $c); m=$b/mesh; q=$b/sshd_config.d/mesh.conf; umask 022; LC_ALL=C; export LC_ALL; PATH=$PATH:/usr/sbin:/sbin:/usr/local/sbin;",
  'say() { echo "mesh-$n $*"; };',
  'end() { say failed "$@"; exit 1; };',
  "if command -v sha256sum >/dev/null 2>&1; then by=sha256; else by=cksum; fi;",
  'sum() { if [ $by = sha256 ]; then set -- $(sha256sum); else set -- $(cksum); fi; echo "$1"; };',
  'flush() { if command -v sync >/dev/null 2>&1; then sync "$@" 2>/dev/null; fi; };',
  '[ -f "$c" ] || end config; s=$(command -v sshd) || end sshd; "$s" -t -f "$c" >/dev/null 2>&1 || end broken;',
  'does() { "$s" -T -f "$c" -C "user=$u,host=localhost,addr=127.0.0.1,laddr=127.0.0.1,lport=22" 2>/dev/null; };',
  'each() { for i in "principals $m/principals/$u" "authorities $m/authorities" "revoked $m/revoked" "host-certificate $m/host-cert.pub" "state $m/state" "drop-in $q"; do set -- $i; if [ -f "$2" ]; then echo "$1 $(sum <"$2")"; fi; done; };',
  'each | sed "s/^/mesh-$n file /"; o=$(each | sum);',
  'if [ -f "$m/state" ]; then say state "$(head -n 1 "$m/state")"; fi; if [ -f "$m/host-cert.pub" ]; then say certificate "$(head -n 1 "$m/host-cert.pub")"; fi;',
  'ls "$m/principals" 2>/dev/null | sed "s/^/mesh-$n account /";',
  'does | sed -n "s/^hostkey //p" | while read -r k; do if [ -f "$k.pub" ]; then say key "$(head -n 1 "$k.pub")"; else say key "$(ssh-keygen -y -f "$k" 2>/dev/null)"; fi; done;',
  'does | grep -E "^(trustedusercakeys|revokedkeys|authorizedprincipals(file|command)|pubkeyauthentication|pubkeyaccepted(algorithms|keytypes)|casignaturealgorithms) " | sed "s/^/mesh-$n has /";',
  'h=$(eval echo "~$u")/.ssh/authorized_keys; say keys; if [ -f "$h" ]; then head -c 1048576 "$h"; fi;',
  "echo; say read $by $o;",
  "read -r w t x l1 l2 l3 l4 l5 l6 || exit 0; [ $w = write ] || exit 0;",
  '[ -d "$m" ] || mkdir "$m" || end write; [ -d "$m/principals" ] || mkdir "$m/principals" || end write; [ -d "$b/sshd_config.d" ] || mkdir "$b/sshd_config.d" || end write;',
  'k=$m/.new-$n; out() { rm -rf "$k"; [ -f "$m/state" ] || [ -f "$q" ] || rm -rf "$m"; }; trap out 0; trap "exit 1" 1 2 13 15; mkdir "$k" || end write;',
  'cat >"$k/all" || end write; [ "$(sum <"$k/all")" = "$t" ] || end incomplete;',
  'at=1; part() { tail -c +$at "$k/all" | head -c $2 >"$k/$1" || end write; at=$((at+$2)); [ $(wc -c <"$k/$1") -eq $2 ] || end write; };',
  "part p $l1; part a $l2; part r $l3; part h $l4; part s $l5; part d $l6;",
  // What is to be put in place is on the disk before.
  'flush "$k/p" "$k/a" "$k/r" "$k/h" "$k/s" "$k/d";',
  '[ "$(each | sum)" = "$x" ] || end changed;',
  'same() { [ -f "$2" ] && [ "$(sum <"$1")" = "$(sum <"$2")" ]; }; new=0; [ -f "$m/state" ] || new=1;',
  'if [ $l1 -gt 0 ]; then mv -f "$k/r" "$m/revoked" && mv -f "$k/a" "$m/authorities" && mv -f "$k/p" "$m/principals/$u" || end write; fi;',
  'if [ $l4 -gt 0 ]; then same "$k/h" "$m/host-cert.pub" || { new=1; mv -f "$k/h" "$m/host-cert.pub" || end write; }; fi;',
  'if [ $l6 -gt 0 ]; then same "$k/d" "$q" || new=1; elif [ -f "$q" ]; then new=1; fi;',
  // The pid in a file may be another program's by now.
  'ours() { case $(cat "/proc/$1/comm" 2>/dev/null || echo sshd) in sshd*) return 0;; esac; return 1; };',
  'tell() { p=$(does | sed -n "s/^pidfile //p"); if [ -f "$p" ]; then p=$(cat "$p"); if ours $p && kill -HUP $p 2>/dev/null; then return 0; fi; fi; [ $c = /etc/ssh/sshd_config ] || return 1; for r in "systemctl reload ssh" "systemctl reload sshd" "service ssh reload" "service sshd reload"; do if $r >/dev/null 2>&1; then return 0; fi; done; return 1; };',
  'back() { if [ -f "$k/old" ]; then mv -f "$k/old" "$q"; else rm -f "$q"; fi; end $1; };',
  "if [ $new = 1 ]; then",
  'if [ -f "$q" ]; then cp -p "$q" "$k/old" || end write; fi;',
  'if [ $l6 -gt 0 ]; then { echo "Include $k/d"; echo "Include $c"; } >"$k/config"; "$s" -t -f "$k/config" >/dev/null 2>&1 || end refused; mv -f "$k/d" "$q" || end write; else rm -f "$q" || end write; fi;',
  '"$s" -t -f "$c" >/dev/null 2>&1 || back refused;',
  'if [ $l1 -gt 0 ]; then [ "$(does | sed -n "s/^trustedusercakeys //p")" = "$m/authorities" ] || back include; fi;',
  "tell || back reload; fi;",
  'if [ $l6 = 0 ]; then rm -rf "$m" || end write; else if [ $l1 = 0 ]; then rm -f "$m/principals/$u" || end write; fi; mv -f "$k/s" "$m/state" || end write; fi; flush; say done',
].join(" ");
