# Which branch a push goes to. Targets are `branch:REMOTE/NAME`; a push that names none is of unknown branch.
package beacon

import data.beacon.branches

branch_case(part) := "protected" if {
	some name in branch_names(part)
	protected_name(name)
} else := "named" if {
	count(branch_names(part)) > 0
} else := "unknown"

# Both readings, with the first segment as the remote and as part of the name: the stricter one holds.
branch_names(part) := {name |
	some target in part.targets
	startswith(target, "branch:")
	full := substring(target, 7, -1)
	some name in {full, after_slash(full)}
	name != ""
}

after_slash(text) := substring(text, indexof(text, "/") + 1, -1)

protected_name(name) if branches.names[name]

protected_name(name) if branches.prefixes[split(name, "/")[0]]

protected_name(name) if tenant.protected_branches[name]

protected_name(name) if tenant.protected_branch_prefixes[split(name, "/")[0]]
