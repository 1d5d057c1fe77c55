# What stops an action whatever it does: revocations, a missing epoch, spent budgets. The host checks them too.
package beacon

hits contains [4, "beacon.revocation.scope", "revoked", message] if {
	some scope in input.facts.revoked_scopes
	message := concat("", ["`", scope, "` is revoked. Nothing in this scope runs until an admin reinstates it. Work outside of it, or have an admin look at why it was revoked."])
}

hits contains [4, "beacon.revocation.epoch", "revocation_unknown", message] if {
	input.facts.revocation_epoch == null
	message := "No revocation epoch could be read, so it is not known what is revoked. Try again when the revocation list answers."
}

hits contains [4, "beacon.budget.exhausted", "budget_exhausted", message] if {
	input.facts.budget_exhausted == true
	not spent
	message := "No budget could be taken for this action: it is spent, or its keeper does not answer. Wait until it refills, or have an operator raise it."
}

hits contains [4, concat("", ["beacon.budget.", spent.of]), concat("", [spent.of, "_limit"]), message] if {
	input.facts.budget_exhausted == true
	message := concat("", [
		"The limit of ", amount(spent.limit, "decisions"), " in ", format_int(spent.window_seconds, 10), " s ",
		spent_names[spent.of], " is reached; it lifts at ", spent.lifts_at, ". ", spent_advice[spent.of],
	])
}

spent := input.facts.budget_spent

spent_names := {"agent": "for this agent", "turn": "in one turn (opportunity_id)", "session": "in one session (session_id)"}

spent_advice := {
	"agent": "Wait until then, or have an operator raise BEACON_AGENT_RATE.",
	"turn": "End this turn and tell the person what is left to do, or have an operator raise BEACON_TURN_ACTIONS.",
	"session": "Wait until then or let a person begin a new session, or have an operator raise BEACON_SESSION_ACTIONS.",
}
