# `beacon policy test` runs these. Whole inputs of few words: data.beacon.testing.
package added.{{name}}

import data.beacon
import data.beacon.testing

test_freeze_asks_a_person if {
	verdict := beacon.decide with input as testing.action("{{tenant}}", "vcs_push")
	verdict.route == "APPROVAL"
	"change_freeze" in [reason.code | some reason in verdict.reasons]
}

test_freeze_leaves_reading_alone if {
	verdict := beacon.decide with input as testing.action("{{tenant}}", "read")
	verdict.route == "ALLOW"
}

test_without_a_freeze_nothing_is_added if {
	count(hits) == 0 with input as testing.action("{{tenant}}", "vcs_push") with data.tables.{{name}}.freeze.active as false
}
