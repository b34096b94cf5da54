/** The shells whose completions there are. */
export type Shell = keyof typeof completionScripts;

/**
 * What each shell is given to read: it asks `mesh completion SHELL -- WORDS` at each Tab, and leaves files to the shell.
 *
 * The answer's first line says of what kind it is; each further one is a word, a tab, and what it is. `command` passes
 * over functions and aliases, and over whatever else is called mesh in the folder one is in.
 */
export const completionScripts = {
  bash: `# Completions of mesh for bash.
_mesh() {
  local IFS=$'\\n' current=\${COMP_WORDS[COMP_CWORD]} kind= line=
  COMPREPLY=()
  while read -r line; do
    if [ -z "$kind" ]; then
      kind=$line
      continue
    fi
    line=\${line%%$'\\t'*}
    case $current in
      [\\"\\']*) ;;
      *) printf -v line %q "$line" ;;
    esac
    COMPREPLY+=("$line")
  done < <(command mesh completion bash -- "\${COMP_WORDS[@]:1:COMP_CWORD}" < /dev/null 2> /dev/null)
  case $kind in
    files) compopt -o default ;;
    folders) compopt -o dirnames ;;
  esac
}
complete -F _mesh mesh
`,
  zsh: `#compdef mesh
# Completions of mesh for zsh.
_mesh() {
  local -a lines shown
  local line
  lines=("\${(@f)$(command mesh completion zsh -- "\${(@)words[2,CURRENT]}" < /dev/null 2> /dev/null)}")
  [[ $lines[1] == words || $words[CURRENT] != --*=* ]] || compset -P '*='
  case $lines[1] in
    files) _files ;;
    folders) _files -/ ;;
    words)
      for line in "\${(@)lines[2,-1]}"; do
        shown+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
      done
      _describe mesh shown
      ;;
  esac
}
if [[ $funcstack[1] == _mesh ]]; then
  _mesh "$@"
else
  (( $+functions[compdef] )) || { autoload -U compinit && compinit -i }
  compdef _mesh mesh
fi
`,
  fish: `# Completions of mesh for fish.
function __mesh_complete
    set -l current (commandline -ct)
    set -l before (commandline -opc)
    set -e before[1]
    set -l lines (command mesh completion fish -- $before "$current" < /dev/null 2> /dev/null)
    set -l option (string match -r -- '^--[^=]*=' "$current")
    set -l path (string replace -r -- '^--[^=]*=' '' "$current")
    switch "$lines[1]"
        case files
            for found in (__fish_complete_path "$path")
                echo "$option$found"
            end
        case folders
            for found in (__fish_complete_directories "$path" '')
                echo "$option$found"
            end
        case words
            set -e lines[1]
            printf '%s\\n' $lines
    end
end
complete -c mesh -f -a '(__mesh_complete)'
`,
} as const;
