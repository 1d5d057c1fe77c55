# The entry point. Every theme adds hits [rank, rule, code, message]; the strictest wins. What is not well formed, or not
# judged part by part, never gets past the default: an undefined value cannot skip a deny rule.
package beacon

import data.beacon.words

default decide := {
	"route": "DENY",
	"reasons": [{
		"rule": "beacon.input.well_formed",
		"code": "input_malformed",
		"message": "What was proposed could not be read as an action with its context, or holds an effect this policy does not know. Propose it again in a form the gate understands.",
	}],
	"obligations": [],
}

decide := {
	"route": words.routes[final_rank],
	"reasons": array.slice(reasons, 0, 32),
	"obligations": obligations,
} if {
	well_formed
	count(part_hits) == count(input.action.parts)
	findings_judged
}

# All hits, strictest first; equal ranks in the order of rule, code and message.
ordered := sort([[4 - lifted(hit[0]), hit] | some hit in hits])

final_rank := 4 - ordered[0][0]

reasons := [{"rule": hit[1], "code": hit[2], "message": hit[3]} |
	some entry in ordered
	hit := entry[1]
	shown(entry[0])
]

# What was merely allowed is told only when all of it was.
shown(distance) if distance < 4

shown(4) if final_rank == 0
