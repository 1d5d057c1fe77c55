# What holds for any input: the strictest wins, the default denies, order and number of reasons.
package beacon.tests

import data.beacon

x := {
	"destination_type": "none",
	"destination_visibility": "private",
	"destination_ownership": "self",
	"external_write": false,
	"sensitive_payload": "none",
	"reversibility": "reversible",
}

part(effect) := {
	"operation": "run",
	"effect": effect,
	"tool": "sh",
	"targets": [],
	"systems": [],
	"scope": "workspace",
	"reversible": "reversible",
	"externality": x,
	"flags": [],
	"digests": [],
}

proposal(parts) := {
	"version": 1,
	"identity": {"tenant_id": "t", "agent_id": "a", "session_id": "s", "client_provenance": "authenticated"},
	"surface": "api",
	"runtime_family": "tool_hook",
	"action": {"parts": parts},
	"externality": object.union(x, {
		"tenant_provenance": "verified",
		"account_provenance": "verified",
		"client_provenance": "authenticated",
		"enforceability": "pre_execution_gate",
	}),
	"findings": [],
	"facts": {
		"score": 300,
		"valid_receipts": 0,
		"level": "L2",
		"revocation_epoch": 1,
		"revoked_scopes": [],
		"budget_exhausted": false,
		"approval": null,
	},
	"context": {},
}

test_reading_is_allowed if {
	verdict := beacon.decide with input as proposal([part("read")])
	verdict.route == "ALLOW"
	verdict.reasons[0].rule == "beacon.effects.read"
}

test_strictest_wins_and_stands_first if {
	verdict := beacon.decide with input as proposal([part("read"), part("delete"), part("flood"), part("history_rewrite")])
	verdict.route == "DENY"
	[reason.code | some reason in verdict.reasons] == ["flood", "history_rewrite", "delete"]
}

test_no_input_is_denied if {
	verdict := beacon.decide with input as {}
	verdict.route == "DENY"
	verdict.reasons[0].code == "input_malformed"
}

test_every_effect_is_judged_at_every_level if {
	every effect, _ in data.beacon.effects {
		every level in ["L0", "L1", "L2", "L3"] {
			verdict := beacon.decide with input as object.union(
				proposal([part(effect)]),
				{"facts": {"level": level}},
			)
			verdict.reasons[0].code != "input_malformed"
		}
	}
}

test_less_trust_is_never_milder if {
	every effect, _ in data.beacon.effects {
		ranks := [data.beacon.words.ranks[verdict.route] |
			some level in ["L3", "L2", "L1", "L0"]
			verdict := beacon.decide with input as object.union(
				proposal([part(effect)]),
				{"facts": {"level": level}},
			)
		]
		ranks == sort(ranks)
	}
}

test_nobody_there_is_never_milder if {
	every effect, _ in data.beacon.effects {
		there := beacon.decide with input as object.union(proposal([part(effect)]), {"context": {"attended": true}})
		away := beacon.decide with input as object.union(proposal([part(effect)]), {"context": {"attended": false}})
		silent := beacon.decide with input as proposal([part(effect)])
		data.beacon.words.ranks[away.route] >= data.beacon.words.ranks[there.route]
		silent.route == there.route
	}
}

test_approval_lifts_approval_alone if {
	approval := {"facts": {"approval": {"action_id": "act_0", "receipt_id": "r-0"}}}
	every effect, _ in data.beacon.effects {
		before := beacon.decide with input as proposal([part(effect)])
		after := beacon.decide with input as object.union(proposal([part(effect)]), approval)
		after.route == object.get({"APPROVAL": "WARN"}, before.route, before.route)
	}
}

test_many_reasons_are_cut_at_32 if {
	parts := [object.union(part("delete"), {"tool": concat("", ["t", format_int(n, 10)])}) | some n in numbers.range(1, 60)]
	verdict := beacon.decide with input as proposal(parts)
	count(verdict.reasons) == 32
}
