# A recorded approval of this very action: APPROVAL becomes WARN. It lifts nothing else; DENY stays DENY.
package beacon

approved if is_string(input.facts.approval.receipt_id)

lifted(rank) := 1 if {
	rank == 3
	approved
} else := rank

hits contains [1, "beacon.approval.recorded", "approved", message] if {
	approved
	some entry in judged
	3 in entry[2]
	message := concat("", ["A person approved this action (receipt ", input.facts.approval.receipt_id, ")."])
}
