# The level that counts: what the host states, never above what the caller's provenance supports.
package beacon

import data.beacon.trust

# Added to a reason where not the action but its standing denies: whoever is told to ask a person must be able to.
barred(rank) := " The level is L0, at which only reading is accepted: propose a reading, or have an admin raise the level." if {
	rank == 4
	level == "L0"
} else := " Nobody is there to approve: propose it again when a person is." if {
	rank == 4
	unattended
} else := ""

level := trust.names[min([stated, cap])] if {
	stated := trust.levels[input.facts.level]
	cap := trust.cap[input.identity.client_provenance]
}
