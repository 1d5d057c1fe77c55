# What packages of tenants add to the pack; the build writes, package by package, for whom (`added`, `added_obligations`).
# An added row is one more hit beside the pack's own, and the strictest hit decides: no row can make a route milder.
package beacon

import data.beacon.words

hits contains [words.ranks[row.route], concat("", ["tenant.", name, ".", row.rule]), row.code, row.message] if {
	some [name, row] in added
	added_row_ok(row)
}

# What cannot be read might have been a DENY.
hits contains [4, concat("", ["tenant.", name, ".unreadable"]), "added_rule_unreadable", message] if {
	some [name, row] in added
	not added_row_ok(row)
	message := concat("", ["A rule of the package `", name, "` gave something that is not {route, rule, code, message}. Have its authors mend it."])
}

hits contains [4, concat("", ["tenant.", name, ".unreadable"]), "added_rule_unreadable", message] if {
	some [name, obligation] in added_obligations
	not is_string(obligation.kind)
	message := concat("", ["The package `", name, "` gave an obligation without a kind. Have its authors mend it."])
}

owed contains obligation if {
	some [_, obligation] in added_obligations
	is_string(obligation.kind)
}

added_row_ok(row) if {
	is_number(words.ranks[row.route])
	is_string(row.rule)
	is_string(row.code)
	is_string(row.message)
}
