# Numbers in reasons agree with their words.
package beacon.tests

import data.beacon

messages(verdict) := {reason.message | some reason in verdict.reasons}

test_one_is_singular if {
	limited := {"t": {"change_limits": {"approved": {"files": 1, "lines": 1, "bytes": 1}}}}
	change := {"files": 2, "lines": 2, "bytes": 2, "places": [], "trees": [], "complete": true}
	request := object.union(proposal([part("write")]), {"change": change})
	verdict := beacon.decide with input as request with data.tenants as limited
	some message in messages(verdict)
	startswith(message, "The change holds 2 files and 2 lines and 2 bytes; more than 1 file, 1 line, 1 byte at once ")
}

test_what_a_change_holds_is_singular if {
	limited := {"t": {"change_limits": {"approved": {"files": 0}}}}
	change := {"files": 1, "lines": 1, "bytes": 1, "places": [], "trees": [], "complete": true}
	request := object.union(proposal([part("write")]), {"change": change})
	verdict := beacon.decide with input as request with data.tenants as limited
	some message in messages(verdict)
	startswith(message, "The change holds 1 file; more than 0 files, 1500 lines, 57344 bytes at once ")
}

test_a_budget_of_one_is_singular if {
	every limit, words in {1: "1 decision", 2: "2 decisions"} {
		spent := {"of": "turn", "limit": limit, "window_seconds": 60, "lifts_at": "2026-01-01T01:00:00Z"}
		request := object.union(proposal([part("read")]), {"facts": {"budget_exhausted": true, "budget_spent": spent}})
		verdict := beacon.decide with input as request
		some message in messages(verdict)
		startswith(message, concat("", ["The limit of ", words, " in 60 s in one turn"]))
	}
}
