# Effect → route: a lookup of the part's effect, its case, its level's rung. Flags may replace the case where the table
# says so (`milder`), or add one (`stricter`).
package beacon

import data.beacon.effects
import data.beacon.ladders
import data.beacon.words

# [part, rows, ranks] of each part that could be judged: `decide` compares the count with the parts. Everything that asks
# about rows reads here, so that each part is looked up once.
judged := [[part, rows, ranks] |
	some part in input.action.parts
	rows := part_rows(part)
	count(rows) > 0
	ranks := [rung(row) | some row in rows]
	count(ranks) == count(rows)
]

hits contains [entry[2][index], concat("", ["beacon.effects.", entry[0].effect]), row.code, sentence(entry[0], row, entry[2][index])] if {
	some entry in judged
	some index, row in entry[1]
}

part_rows(part) := [effects.none.cases.dry_run] if {
	dry(part)
} else := array.concat(softened(effect, part, base_row(effect, part)), stricter_rows(effect, part)) if {
	effect := effects[part.effect]
}

# Only effects whose programs have dry runs; the flag is the normaliser's, never the caller's.
dry(part) if {
	effects[part.effect].dry_run
	"dry_run" in part.flags
}

# The row, or what the part's flags make of it.
softened(effect, part, row) := rows if {
	rows := [milder |
		some flag in part.flags
		milder := effect.cases[row.milder[flag]]
	]
	count(rows) > 0
} else := [row]

base_row(effect, part) := object.get(effect.cases, case_of(effect.by, part), effect.cases.otherwise)

stricter_rows(effect, part) := [row |
	some flag in part.flags
	some row in softened(effect, part, effect.cases[effect.stricter[flag]])
]

case_of("one", _) := "otherwise"

case_of("scope", part) := part.scope

case_of("reach", part) := reach(part.externality)

case_of("branch", part) := branch_case(part)

# Who is on the other end.
reach(x) := "local" if {
	x.external_write == false
} else := "public" if {
	x.destination_visibility == "public"
} else := "foreign" if {
	x.destination_ownership == "third_party"
} else := "foreign" if {
	x.destination_visibility == "partner"
} else := "unknown" if {
	x.destination_visibility == "unknown"
} else := "own" if {
	x.destination_ownership in {"self", "tenant"}
} else := "unknown"

rung(row) := max([stated, unattended_floor]) if {
	ladder := ladders[row.ladder]
	stated := words.ranks[ladder[level]]
	unattended_floor := floor_of(ladder)
}

floor_of(ladder) := words.ranks[ladder.unattended] if {
	unattended
} else := 0

# Nobody said that somebody watches: taken as attended, which is never milder than what an attended route is.
unattended if input.context.attended == false

# What was understood, on what, and what would be accepted instead.
sentence(part, row, rank) := concat("", [called(part), " ", row.does, on(part.targets), ".", advice(row.instead), barred_by(row.ladder, rank)])

barred_by("never", _) := ""

barred_by(ladder, rank) := barred(rank) if ladder != "never"

# `git push`, and `ls` rather than `ls ls`.
called(part) := concat("", ["`", part.tool, "`"]) if {
	part.tool == part.operation
} else := concat("", ["`", part.tool, " ", part.operation, "`"])

advice("") := ""

advice(text) := concat(" ", ["", text]) if text != ""

on([]) := ""

on(targets) := concat("", [" (", concat(", ", array.slice(targets, 0, 3)), more(count(targets)), ")"]) if count(targets) > 0

more(n) := " and others" if {
	n > 3
} else := ""
