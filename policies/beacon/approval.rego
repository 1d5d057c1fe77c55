# A recorded approval of this very action: APPROVAL becomes WARN. It lifts nothing else; DENY stays DENY.
package beacon

approved if is_string(input.facts.approval.receipt_id)

lifted(rank) := 1 if {
	rank == 3
	approved
} else := rank

hits contains [1, "beacon.approval.recorded", "approved", message] if {
	approved
	some part in input.action.parts
	some row in part_rows(part)
	rung(row) == 3
	message := concat("", ["A person approved this action (receipt ", input.facts.approval.receipt_id, ")."])
}
