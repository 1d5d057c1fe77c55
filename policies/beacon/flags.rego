# Flags that tighten any effect: self-governance, other tenants, authority, protected paths.
package beacon

import data.beacon.words

hits contains [words.ranks[row.route], concat("", ["beacon.flags.", flag]), row.code, row.message] if {
	some part in input.action.parts
	some flag in part.flags
	row := data.beacon.flags[flag]
}
