# How much may change at once. The host measures (core/action/extent.ts); a tenant may lower a limit, not raise it.
package beacon

import data.beacon.limits

# Inputs recorded before it was measured say nothing; they hold no limit.
change := object.get(input, "change", {"files": 0, "lines": 0, "bytes": 0, "places": [], "trees": [], "complete": true})

exceeded contains [step, measure] if {
	some step, numbers in limits.change
	some measure, most in numbers
	change[measure] > most
}

exceeded contains [step, measure] if {
	some step, numbers in tenant.change_limits
	some measure, most in numbers
	change[measure] > most
}

hits contains [rank, "beacon.limits.change", row.code, message] if {
	count(exceeded) > 0
	some step in {entry[0] | some entry in exceeded}
	not told_graver(step)
	row := limits.steps[step]
	rank := rung(row)
	counted := [amount(change[measure], measure) | some measure in measures; exceeded[[step, measure]]]
	allowed := [amount(limit_of(step, measure), measure) | some measure in measures]
	message := concat("", [
		"The change holds ", concat(" and ", counted), "; more than ", concat(", ", allowed), " at once ", row.does, ". ",
		row.instead, barred(rank),
	])
}

measures := ["files", "lines", "bytes"]

told_graver("noticed") if {
	some entry in exceeded
	entry[0] == "approved"
}

limit_of(step, measure) := min([limits.change[step][measure], tenant.change_limits[step][measure]]) if {
	tenant.change_limits[step][measure]
} else := limits.change[step][measure]

amount(number, measure) := concat(" ", [format_int(number, 10), counted_as(number, measure)])

counted_as(number, measure) := one_of[measure] if {
	number == 1
} else := measure

# What stands behind a 1; a tenant may limit a change to one file.
one_of := {"files": "file", "lines": "line", "bytes": "byte", "decisions": "decision"}
