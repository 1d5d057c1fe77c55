# What stops an action whatever it does: revocations, a missing epoch, spent budgets. The host checks them too.
package beacon

hits contains [4, "beacon.revocation.scope", "revoked", message] if {
	some scope in input.facts.revoked_scopes
	message := concat("", ["`", scope, "` is revoked. Nothing in this scope runs until an admin reinstates it."])
}

hits contains [4, "beacon.revocation.epoch", "revocation_unknown", message] if {
	input.facts.revocation_epoch == null
	message := "No revocation epoch could be read, so it is not known what is revoked. Try again when the revocation list answers."
}

hits contains [4, "beacon.budget.exhausted", "budget_exhausted", message] if {
	input.facts.budget_exhausted == true
	message := "The budget for this agent or tenant is spent. Wait until it refills, or have an operator raise it."
}
