# Where effects go that are not about sending as such, and conduct: what leaves or cannot be undone needs trust.
package beacon

import data.beacon.effects
import data.beacon.trust

# Effects chosen by reach have a case of their own for each destination.
hits contains [rank, "beacon.destination.known", code, message] if {
	some part in input.action.parts
	part.externality.external_write == true
	effect := effects[part.effect]
	effect.changes
	effect.by != "reach"
	not dry(part)
	code := destination_codes[reach(part.externality)]
	not excused(effect, part.externality)
	rank := rung({"ladder": "person_present"})
	message := concat("", [called(part), " changes something outside whose owner is not known to be you", on(part.targets), ". Name a destination of your own, or ask a person to approve.", barred(rank)])
}

destination_codes := {"unknown": "unknown_destination", "public": "public_destination", "foreign": "foreign_destination"}

excused(effect, externality) if {
	effect.lenient
	externality.destination_ownership != "third_party"
}

hits contains [3, "beacon.trust.low_score", "low_score", message] if {
	input.facts.score < trust.low_score
	input.facts.valid_receipts >= trust.proven_receipts
	some entry in judged
	weighty(entry)
	message := concat("", ["The trust score is low, and ", called(entry[0]), " leaves the workspace or cannot be undone. Work inside the workspace, or ask a person to approve."])
}

weighty([part, _, _]) if {
	effects[part.effect].changes
	leaves(part)
	not dry(part)
}

# What is free anyway (build output, one's own processes) is not a loss.
weighty([part, _, ranks]) if {
	part.reversible in {"irreversible", "unknown"}
	some rank in ranks
	rank > 0
}

# Whatever changes a machine that is not this one, though its effect is usually local.
hits contains [rank, "beacon.destination.remote", "remote_change", message] if {
	some part in input.action.parts
	part.scope == "remote"
	effect := effects[part.effect]
	effect.changes
	not effect.leaves
	not dry(part)
	rank := rung({"ladder": "person_present"})
	message := concat("", [called(part), " changes a remote system. Do it through a tool that names the system, or ask a person to approve.", barred(rank)])
}
