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
	count(judged) == count(input.action.parts)
	findings_judged
}

final_rank := max({lifted(hit[0]) | some hit in hits})

# Strictest first, equal ranks in the order of rule, code and message. Each rank is cut before it is sorted: sorting is
# what would take long when thousands of hits come together.
reasons := [{"rule": hit[1], "code": hit[2], "message": hit[3]} |
	some rank in shown_ranks
	some hit in sort(array.slice([one | some one in hits; lifted(one[0]) == rank], 0, 32))
]

# What was merely allowed is told only when all of it was.
default shown_ranks := [4, 3, 2, 1]

shown_ranks := [0] if final_rank == 0
